import type { Bus } from '../bus/bus.ts'
import type { CommandSettings } from '../command/command.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Rooms } from '../rooms.ts'
import type { Vault } from '../vault/secrets.ts'

/** What of the settings is of interest to who shows the instance itself. */
export interface InteriorSettings {
  readonly name: string
  readonly commands: CommandSettings
  readonly networks: Readonly<Record<string, { readonly kind: string }>>
  /** What the models are that programs may ask. */
  readonly models: Readonly<
    Record<string, { readonly on: boolean; readonly provider: string; readonly embeddings: boolean }>
  >
  readonly ignore: Readonly<Record<string, number | null>>
}

/**
 * What an adapter gets whose platform is this instance: its users ask for what the ledger holds, and it shows them that by
 * the rules of `core/access/visibility.ts`. Adapters of platforms elsewhere have no use for it. What is asked for goes through the
 * sink, as on any platform; nothing is decided here.
 */
export interface Interior {
  readonly ledger: Ledger
  readonly bus: Bus
  readonly rooms: Rooms
  readonly vault: Vault
  readonly settings: () => InteriorSettings
}
