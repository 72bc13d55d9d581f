import type { z } from 'zod'
import type { Bus } from '../bus/bus.ts'
import { byOf, type CommandContext } from '../command/command.ts'
import { dropSetting, storeSetting } from '../ledger/settings/settings.ts'
import type { Tx } from '../ledger/tx.ts'
import type { Settings } from './settings.ts'
import { removed } from './settings-merge.ts'

/** Values by the keys of settings. */
export type Changes = Readonly<Record<string, unknown>>

type Following = Pick<Settings<z.ZodType>, 'current' | 'reload' | 'covers' | 'holds' | 'demandSame'>

interface Services {
  readonly context: { readonly settings: Following; readonly bus: Pick<Bus, 'signal'> }
}

type Context = Pick<CommandContext<Services>, 'services' | 'caller' | 'atMs'>

/** `removed` of what chat alone has leaves nothing. */
function store(tx: Tx, { caller, atMs, services }: Context, changes: Changes): void {
  const { settings } = services.context
  for (const [key, value] of Object.entries(changes)) {
    const covers = settings.covers(key)
    dropSetting(tx, key, covers)
    if (value !== removed || settings.holds(tx, key)) storeSetting(tx, key, value, byOf(caller), atMs, covers)
  }
}

/** Lets all bots know, once a change is committed. */
export const changed =
  ({ services: { context }, caller }: Omit<Context, 'atMs'>) =>
  async (): Promise<void> => {
    await context.settings.reload()
    context.bus.signal('settings', { by: byOf(caller) })
  }

/** Of an answer: what changes settings that are still as they are now. */
export function changing(context: Context, changes: Changes) {
  const { settings } = context.services.context
  const seen = settings.current
  return {
    effect: (tx: Tx): void => {
      settings.demandSame(tx, seen, Object.keys(changes))
      store(tx, context, changes)
    },
    committed: changed(context),
  }
}
