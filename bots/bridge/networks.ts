import { kinds } from '../../adapters/index.ts'
import type { Config } from '../../config/schema.ts'
import type { Adapter, AdapterContext, AdapterKind } from '../../core/adapter.ts'
import type { BotContext } from '../../core/bot.ts'
import type { NetworkId, Place } from '../../core/event.ts'
import { newest } from '../../core/ledger/events.ts'
import { getCursor, setCursor } from '../../core/ledger/consumers.ts'
import { sql } from '../../core/ledger/sqlite.ts'

/** The bots that have a face of their own where the platform can show one. */
export const personas = ['admin', 'bridge', 'oracle', 'scribe'] as const

export interface NetworkOptions {
  readonly context: BotContext
  readonly places: (network: string) => readonly Place[]
  changed(network: NetworkId): void
}

function adapterContext(network: NetworkId, { context, places, changed }: NetworkOptions): AdapterContext {
  const { ledger } = context
  return {
    network,
    log: context.log.child({ network }),
    personas,
    instance: context.instance,
    places: places(network),
    dataDir: context.dataDir,
    secret: reference => context.secret(reference),
    changed: () => changed(network),
    cursors: {
      newest: place => ledger.read(db => newest(db, place)),
      get: name => ledger.read(db => getCursor(db, network, name)),
      set: (name, value) => ledger.write(db => setCursor(db, network, name, value)),
    },
  }
}

/** Makes the adapter of one configured network. */
export async function openNetwork(
  name: string,
  config: Config['networks'][string],
  options: NetworkOptions,
): Promise<Adapter> {
  const kind = kinds.find(known => known.kind === config.kind) as AdapterKind
  return kind.create(config, adapterContext(name as NetworkId, options))
}

/** Leaves word of how a network is, for `!networks` in another process. */
export const reportStanding = (context: BotContext, adapter: Adapter): Promise<void> =>
  context.ledger.write(db => {
    sql(
      db,
      `INSERT INTO standing VALUES (?, ?, ?) ON CONFLICT (network) DO UPDATE SET standing = excluded.standing,
       at_ms = excluded.at_ms`,
    ).run(adapter.network, JSON.stringify(adapter.standing()), Date.now())
  })
