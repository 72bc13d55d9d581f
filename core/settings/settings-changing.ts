import type { Bus } from '../bus/bus.ts'
import { byOf, type CommandContext } from '../command/command.ts'
import { storeSetting } from '../ledger/settings/settings.ts'
import type { Tx } from '../ledger/tx.ts'

export interface Change {
  readonly key: string
  readonly value: unknown
}

interface Services {
  readonly context: { readonly settings: { reload(): Promise<unknown> }; readonly bus: Pick<Bus, 'signal'> }
}

/** Stores changes of settings, in the transaction that answers a command. */
export const changing =
  ({ caller, atMs }: Pick<CommandContext<unknown>, 'caller' | 'atMs'>, changes: readonly Change[]) =>
  (tx: Tx): void => {
    for (const { key, value } of changes) storeSetting(tx, key, value, byOf(caller), atMs)
  }

/** Lets all bots know, once the change is committed. */
export const changed =
  ({ services: { context }, caller }: Pick<CommandContext<Services>, 'services' | 'caller'>) =>
  async (): Promise<void> => {
    await context.settings.reload()
    context.bus.signal('settings', { by: byOf(caller) })
  }
