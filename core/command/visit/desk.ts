import type { z } from 'zod'
import type { MessageEvent } from '../../event.ts'
import type { BotContext } from '../../process/bot.ts'
import { bots } from '../../process/bots.ts'
import type { RoomsConfig } from '../../rooms.ts'
import type { Command, CommandSettings } from '../command.ts'
import { publish } from '../help/published.ts'
import { Router } from '../router.ts'
import { serveCommands } from './serve.ts'

/** What of the configuration concerns commands. */
export interface DeskConfig {
  readonly commands: CommandSettings
  readonly rooms: RoomsConfig
  /** `network:user` to Unix ms, null for good. */
  readonly ignore: Readonly<Record<string, number | null>>
}

export interface DeskOptions<S> {
  readonly commands: readonly Command<S>[]
  readonly services: S
  /** See `RouterOptions.front`. */
  readonly front?: true
}

/** Whether a sender is neither relayed nor obeyed at the moment. */
export function isIgnored(
  ignore: DeskConfig['ignore'],
  { place, sender }: Pick<MessageEvent, 'place' | 'sender'>,
): boolean {
  const until = ignore[`${place.network}:${sender.id}`]
  return until === null || (until !== undefined && until > Date.now())
}

/** Publishes a bot's commands and answers them until the process stops. Resolves at the first look at the ledger. */
export async function openDesk<S, C extends z.ZodType<DeskConfig>>(
  context: BotContext<C>,
  { commands, services, front }: DeskOptions<S>,
): Promise<{ readonly router: Router<S>; readonly served: Promise<void> }> {
  const { ledger, vault, log, signal, name, settings } = context
  await ledger.write(db => publish(db, name, commands as readonly Command<never>[]))
  const router = new Router<S>({
    bot: name,
    bots,
    commands,
    services,
    ledger,
    vault,
    log,
    signal,
    settings: () => settings.current.commands,
    roomPlaces: place => context.rooms.with(place),
    ignored: event => isIgnored(settings.current.ignore, event),
    ...(front ? { front } : {}),
  })
  return { router, served: serveCommands(context, router) }
}
