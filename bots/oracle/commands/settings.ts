import type { CommandContext } from '../../../core/command/command.ts'
import { storeSetting } from '../../../core/ledger/settings/settings.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { OracleServices } from './services.ts'

export interface Change {
  readonly key: string
  readonly value: unknown
}

type Context = CommandContext<OracleServices>

/** Stores changes of settings, in the transaction that answers. */
export const changing =
  ({ caller, atMs }: Context, changes: readonly Change[]) =>
  (tx: Tx): void => {
    const by = caller.person?.name ?? caller.account
    for (const { key, value } of changes) storeSetting(tx, key, value, by, atMs)
  }

/** Lets all bots know, once the change is committed. */
export const changed =
  ({ services, caller }: Context) =>
  async (): Promise<void> => {
    const { settings, bus } = services.context
    await settings.reload()
    bus.signal('settings', { by: caller.account })
  }
