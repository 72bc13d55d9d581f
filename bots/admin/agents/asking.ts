/** What the commands about agents share. */

import { z } from 'zod'
import { chosen } from '../../../core/access/agents-meant.ts'
import { includes } from '../../../core/access/role.ts'
import type { Answer, Ordered, Preview } from '../../../core/command/command.ts'
import { nameOf } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { given } from '../../../core/given.ts'
import type { Agent } from '../../../core/ledger/agents/agents.ts'
import { type NewOrder, placeOrder } from '../../../core/ledger/out/orders.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Context } from '../services.ts'
import { keepBatch } from './batch.ts'

/** More than these are told in one line, and their logins are left in a file. */
const fewAgents = 5

export const agentName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,31}$/, 'write a name of letters, digits, _ and -')
  .transform(typed => typed.toLowerCase())
  .meta({ type: 'selector' })

export const selector = nameOf('selector').max(2000).describe('worker-1, a,b, @all, @worker, @wor*; ,-x leaves out x')

/** The agents that a selector means here; once something was confirmed, those that were shown then and nobody else. */
export const meant = ({ caller, services, confirmed }: Context, tx: Tx, which: string): Agent[] =>
  chosen(tx, confirmed?.join(',') ?? which, services.context.rooms.with(caller.place))

/** What has to be confirmed when a selector means more than one. */
export async function several(
  context: Context,
  which: string,
  told: (agents: readonly Agent[]) => string,
): Promise<Preview | null> {
  const { caller, services } = context
  const found = await context.ledger.read(tx => chosen(tx, which, services.context.rooms.with(caller.place)))
  return found.length > 1 || context.confirmed ? { text: told(found), of: found.map(({ name }) => name) } : null
}

/** An agent with the order that makes, or renews, its account. */
export interface Made {
  readonly agent: Agent
  readonly order: NewOrder
  readonly password: string
}

/** The agent with an engagement that says what it says now. */
export async function signed(
  { services, atMs }: Context,
  agent: Omit<Agent, 'engagement'>,
  groups: readonly string[],
): Promise<Agent> {
  return { ...agent, engagement: await services.signer.sign(agent, groups, atMs) }
}

/** Whether an agent is the caller's: their own account, or they answer for it. */
export const isOwn = ({ caller }: Context, agent: Agent): boolean => {
  const who = `${caller.network}:${caller.account}`
  return caller.verified && (caller.agent?.name === agent.name || who === agent.owner)
}

/** An operator, whoever answers for all of them, the agent itself, or one whose engagement names the command. */
export function guardAgents(context: Context, agents: readonly Agent[], command: string): void {
  const { caller } = context
  if (!caller.agent && includes(caller.globalRole, 'operator')) return
  if (caller.agent?.permissions.includes(command)) return
  const other = agents.find(agent => !isOwn(context, agent))
  if (other) throw new ChanopError('denied', `${other.name} is not yours: ask an operator`)
}

export const listed = (names: readonly string[]): string =>
  names.length <= 10 ? names.join(', ') : `${names.slice(0, 5).join(', ')} … ${names.at(-1)} (${names.length})`

interface Item {
  readonly agent: Agent
  readonly order: NewOrder
  readonly password?: string
}

/** An order for each of some agents. Of few each one's end is told; many are told in one line, and their passwords go into a file. */
export async function ordered<I extends Item>(
  context: Context,
  verb: string,
  items: readonly I[],
  keep: NonNullable<Answer['effect']>,
  told: (item: I, db: Tx) => Omit<Ordered, 'order'>,
): Promise<Answer> {
  const { caller, event, atMs, services, ledger } = context
  if (items.length <= fewAgents)
    return {
      effect: keep,
      orders: await ledger.read(db => items.map(item => ({ order: item.order, ...told(item, db) }))),
    }
  const names = listed(items.map(({ agent }) => agent.name))
  return {
    lines: [`${items.length} agents are being ${verb}: ${names}; I say when it is done`],
    effect: db => {
      keep(db)
      for (const { order } of items) placeOrder(db, order, atMs)
      keepBatch(db, services.context.vault, {
        id: `${verb}-${event.seq}`,
        verb,
        places: services.context.rooms.from(caller.place).places,
        direct: caller.place,
        ...(caller.private ? {} : { only: caller.account }),
        items: items.map(({ agent, order, password }) => ({
          name: agent.name,
          key: order.key,
          ...given({ password }),
        })),
      })
    },
  }
}
