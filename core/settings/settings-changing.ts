import type { Bus } from '../bus/bus.ts'
import { byOf, type CommandContext } from '../command/command.ts'
import { storeSetting } from '../ledger/settings/settings.ts'
import type { Tx } from '../ledger/tx.ts'

/** Values by the keys of settings. */
export type Changes = Readonly<Record<string, unknown>>

interface Services {
  readonly context: { readonly settings: { reload(): Promise<unknown> }; readonly bus: Pick<Bus, 'signal'> }
}

type Context = Pick<CommandContext<Services>, 'services' | 'caller' | 'atMs'>

export function store(tx: Tx, { caller, atMs }: Omit<Context, 'services'>, changes: Changes): void {
  for (const [key, value] of Object.entries(changes)) storeSetting(tx, key, value, byOf(caller), atMs)
}

/** Lets all bots know, once a change is committed. */
export const changed =
  ({ services: { context }, caller }: Omit<Context, 'atMs'>) =>
  async (): Promise<void> => {
    await context.settings.reload()
    context.bus.signal('settings', { by: byOf(caller) })
  }

/** Of an answer: what changes settings. */
export const changing = (context: Context, changes: Changes) => ({
  effect: (tx: Tx) => store(tx, context, changes),
  committed: changed(context),
})
