/** How agents come: `register` and `adopt`. */

import { z } from 'zod'
import { newCode } from '../../../core/access/claim-codes.ts'
import { expandNames } from '../../../core/access/selector.ts'
import { byOf, changes } from '../../../core/command/command.ts'
import { flag } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { type Agent, agentNamed, insertAgent } from '../../../core/ledger/agents/agents.ts'
import { personAt } from '../../../core/ledger/people/people.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { newPassword } from '../../../core/new-password.ts'
import { duration } from '../../../core/text/text.ts'
import { agentName, type Made, ordered, signed } from '../agents/asking.ts'
import { claimMs, keepClaim } from '../agents/claims.ts'
import { inherit } from '../agents/heirs.ts'
import { loginLine } from '../agents/login.ts'
import { refuseReserved } from '../agents/names.ts'
import { accountOrder, passwordOrder } from '../agents/orders.ts'
import { defaultRate, type Terms, terms, withTerms } from '../agents/terms.ts'
import { type Context, declare } from '../services.ts'
import { managed } from './people.ts'

async function drafted(context: Context, name: string, typed: Terms): Promise<Agent> {
  const { caller, atMs } = context
  const network = managed(context)
  const blank: Omit<Agent, 'engagement'> = {
    name,
    network,
    type: 'worker',
    owner: `${caller.network}:${caller.account}`,
    state: 'registering',
    channels: ['*'],
    permissions: [],
    skills: [],
    rate: defaultRate,
    native: false,
    reason: null,
    paused: false,
    createdMs: atMs,
    changedMs: atMs,
    expiresMs: null,
    createdBy: byOf(context.caller),
  }
  return signed(context, await withTerms(context, blank, typed), [])
}

function refuseTaken(tx: Tx, context: Context, { name, network }: Agent): void {
  const known = agentNamed(tx, name)
  if (known)
    throw new ChanopError('account-exists', `${name} is an agent already (${known.state}): choose another name`)
  const person = personAt(tx, network, name)
  if (person) throw new ChanopError('account-exists', `${name} is taken by a person: choose another name`)
  refuseReserved(tx, context, name)
}

const register = declare({
  name: 'register',
  summary: 'makes an account and an engagement for a program; the login comes once, to you alone',
  ...changes('operator'),
  args: z.object({
    nick: z.string().min(1).max(80).describe('a name, or many: worker-{001..500}'),
    ...terms,
    claim: flag('a code instead of the password, for ten minutes'),
  }),
  examples: [
    ['!register worker-1 channels=#general for=30d', 'worker-1 is registered as worker; its login is in your DM'],
  ],
  async run(context, { nick, claim, ...typed }) {
    const names = expandNames(nick)?.map(name => agentName.safeParse(name))
    const bad = names?.find(({ success }) => !success)
    if (!names || bad)
      throw new ChanopError('usage', `write a name of letters, digits, _ and - (32 at most), or worker-{1..500}`)
    if (claim && names.length > 1)
      throw new ChanopError('usage', 'a claim code is for one agent: register them one by one')
    const agents = await Promise.all(names.map(name => drafted(context, name.data as string, typed)))
    const items = agents.map(agent => made(context, agent))
    const code = claim ? newCode() : null
    const { services, caller, atMs } = context
    const keep = (db: Tx): string[] => {
      for (const { agent, password } of items) {
        refuseTaken(db, context, agent)
        insertAgent(db, agent)
        if (code === null) continue
        const claimed = { code, agent: agent.name, login: loginLine(db, agent, password), untilMs: atMs + claimMs }
        keepClaim(db, services.context.vault, claimed)
      }
      return items.flatMap(({ agent }) => inherit(db, caller, agent, atMs))
    }
    return ordered(context, 'registered', items, keep, ({ agent, password }, db) => ({
      done: `${agent.name} is registered as ${agent.type}; its ${code === null ? 'login' : 'claim code'} is in your DM`,
      failed: `${agent.name} is not registered: {reason}`,
      secret:
        code === null
          ? `${loginLine(db, agent, password)}\nengagement=${agent.engagement}`
          : claimText(agent.name, code),
    }))
  },
})

function made({ event, services }: Context, agent: Agent): Made {
  const password = newPassword()
  const asked = { network: agent.network, account: agent.name, seq: event.seq, step: 'register' as const }
  return {
    agent,
    password,
    order: passwordOrder(services.context.vault, password, { ...asked, kind: 'account.create' }),
  }
}

const claimText = (name: string, code: string): string =>
  `claim code of ${name}: ${code} · once, within ${duration(claimMs)}: npm run claim -- ${code} on the host, or claim ${code} in a DM to admin`

const adopt = declare({
  name: 'adopt',
  summary: 'makes an agent of an account that is there; its password stays as it is',
  ...changes('operator'),
  args: z.object({ account: agentName, ...terms }),
  examples: [['!adopt oldbot type=observer', 'oldbot is an agent now; its password is as it was']],
  async run(context, { account, ...typed }) {
    const agent = await drafted(context, account, typed)
    const asked = { network: agent.network, account: agent.name, seq: context.event.seq, step: 'register' as const }
    return {
      effect: db => {
        refuseTaken(db, context, agent)
        insertAgent(db, agent)
      },
      orders: [
        {
          order: accountOrder({ ...asked, kind: 'account.check' }),
          done: `${agent.name} is an agent now; its password is as it was`,
          failed: `${agent.name} is not adopted: {reason}`,
        },
      ],
    }
  },
})

export const registerCommands = [register, adopt]
