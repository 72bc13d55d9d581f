import { kinds } from '../../../adapters/index.ts'
import type { Config, configSchema } from '../../../config/schema.ts'
import type { Adapter, AdapterContext, AdapterKind } from '../../../core/adapter.ts'
import type { NetworkId, Place, Sign } from '../../../core/event.ts'
import { newest } from '../../../core/ledger/record/events.ts'
import { keptChannels } from '../../../core/ledger/settings/channels.ts'
import { getCursor, setCursor } from '../../../core/ledger/settings/consumers.ts'
import type { BotContext } from '../../../core/process/bot.ts'
import { bots } from '../../../core/process/bots.ts'

export interface NetworkOptions {
  readonly context: BotContext<typeof configSchema>
  readonly signs: (signs: readonly Sign[]) => Promise<void>
  readonly places: (network: string) => readonly Place[]
  readonly changed: (network: NetworkId) => void
}

function adapterContext(network: NetworkId, { context, signs, places, changed }: NetworkOptions): AdapterContext {
  const { ledger } = context
  return {
    network,
    log: context.log.child({ network }),
    personas: bots,
    instance: context.instance,
    places: places(network),
    dataDir: context.dataDir,
    secret: reference => context.secret(reference),
    changed: () => changed(network),
    signs,
    interior: {
      ledger,
      bus: context.bus,
      rooms: context.rooms,
      vault: context.vault,
      settings: () => context.settings.current,
    },
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
  const kept = await options.context.ledger.read(db => keptChannels(db, name))
  const places = (network: string): readonly Place[] => [...options.places(network), ...kept]
  return kind.create(config, adapterContext(name as NetworkId, { ...options, places }))
}
