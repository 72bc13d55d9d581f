import { join } from 'node:path'
import { type Place, text, type UserId } from '../../../core/event.ts'
import { makeFolder, onDisk, writeWhole } from '../../../core/files.ts'
import { given } from '../../../core/given.ts'
import { agentNamed } from '../../../core/ledger/agents/agents.ts'
import { enqueue } from '../../../core/ledger/out/deliveries.ts'
import { type Order, orderByKey } from '../../../core/ledger/out/orders.ts'
import { batches, dropClaim, keepBatch as keepSealed } from '../../../core/ledger/people/claims.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { BotContext } from '../../../core/process/bot.ts'
import type { Vault } from '../../../core/vault/secrets.ts'
import { announce } from '../say.ts'
import { agentsFolder } from './engagement.ts'
import { loginLine } from './login.ts'

/** Many orders of one command: their end is told in one line, and their passwords go into one file on the host. */
export interface Batch {
  readonly id: string
  /** `registered`, `revoked`, … */
  readonly verb: string
  /** Where it was asked, with the other places of its room. */
  readonly places: readonly Place[]
  /** Where the asker is told what is theirs alone, and who that is when others are there too. */
  readonly direct: Place
  readonly only?: UserId
  readonly items: readonly { readonly name: string; readonly key: string; readonly password?: string }[]
}

const box = (id: string): string => `batch:${id}`

/** Part of the transaction that places the orders: nothing of it is lost with the process. */
export function keepBatch(tx: Tx, vault: Vault, batch: Batch): void {
  keepSealed(tx, { id: batch.id, sealed: vault.seal(box(batch.id), JSON.stringify(batch)) }, batch.verb)
}

const open = (tx: Tx, vault: Vault): Batch[] =>
  batches(tx).map(({ id, sealed }) => JSON.parse(vault.open(box(id), sealed)) as Batch)

/** Ends the batches whose orders have all ended. Repeated after a crash it ends in the same file and one line. */
export async function endBatches(context: BotContext): Promise<void> {
  const { ledger, vault } = context
  for (const batch of await ledger.read(tx => open(tx, vault))) {
    const orders = await ledger.read(tx => batch.items.map(({ key }) => orderByKey(tx, key)))
    if (orders.some(order => order?.state === 'queued' || order?.state === 'sending')) continue
    const failed = orders.filter(order => order?.state !== 'done')
    const file = await leaveLogins(context, batch, orders)
    const told = summary(batch, failed)
    await ledger.write(tx => {
      if (!dropClaim(tx, batch.id, 'batch')) return
      const [asked] = batch.places
      const line = file ? `${told}; where the logins are is in your DM` : told
      if (asked) announce(tx, context, { ...context.rooms.from(asked), places: batch.places }, line, batch.id)
      const act = {
        do: 'send' as const,
        content: text(`the logins are in ${file} on the host`),
        as: { name: context.name },
        ...given({ only: batch.only }),
      }
      if (file) enqueue(tx, { place: batch.direct, bot: context.name, act }, Date.now())
    })
  }
}

function summary({ verb, items }: Batch, failed: readonly (Order | null)[]): string {
  const done = `${items.length - failed.length} agents ${verb}`
  if (failed.length === 0) return done
  const some = failed.slice(0, 3).map(order => `${order?.args['account']}: ${order?.error}`)
  return `${done}, ${failed.length} failed: ${some.join('; ')}${failed.length > some.length ? '; …' : ''}`
}

/** Writes the logins that hold now, whole and for the owner alone; the file's name, or null when there are none. */
async function leaveLogins(
  { ledger, dataDir }: BotContext,
  { id, items }: Batch,
  orders: readonly (Order | null)[],
): Promise<string | null> {
  const lines = await ledger.read(tx =>
    items.flatMap(({ name, password }, index) => {
      const agent = agentNamed(tx, name)
      if (password === undefined || !agent || orders[index]?.state !== 'done') return []
      return [`${loginLine(tx, agent, password)} engagement=${agent.engagement}`]
    }),
  )
  if (lines.length === 0) return null
  const folder = agentsFolder(dataDir)
  const file = join(folder, `${id}.txt`)
  await makeFolder(folder)
  await writeWhole(file, `${lines.join('\n')}\n`, { alone: true })
  await onDisk(folder)
  return file
}
