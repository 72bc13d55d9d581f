/** Channels of the server that we run: they stay, with a history, and our bots are their operators. */
import { ChanopError } from '../../core/error.ts'
import type { Log } from '../../core/log.ts'
import type { IrcConfig } from './config.ts'
import { command, insist, isInspircd } from './link/command.ts'
import type { Session } from './link/session.ts'
import { botHost } from './server/settings.ts'
import { type Line, lastParam } from './text/line.ts'

export interface Keeping {
  /** Accounts that are operators in every kept channel. */
  readonly bots: readonly string[]
  /** Lines of history that InspIRCd keeps for a channel, and for how long in its notation (`1d`). */
  readonly lines: number
  readonly age: string
}

/** Null where others run the server. */
export const keepingOf = (config: IrcConfig, bots: readonly string[]): Keeping | null =>
  config.managed ? { bots, ...config.history } : null

/** The same for a channel that was just entered: it is tried again at the next JOIN. */
export function establishSoon(session: Session, channel: string, keeping: Keeping, log: Log): void {
  establish(session, channel, keeping).catch((error: unknown) => {
    if (session.open) log.warn({ error, channel }, 'a channel is not kept by the server')
  })
}

/** Makes a channel that we are in stay, with its history. Changes nothing that is so already. */
export async function establish(session: Session, channel: string, keeping: Keeping): Promise<void> {
  if (isInspircd(session)) await insist(session, channel, [inspircdModes(channel, keeping)])
  else await register(session, channel, keeping.bots)
}

/**
 * `P`: stays when empty and over restarts, with topic, modes and lists. `H`: what is replayed to whoever joins and has
 * not set user mode `N`. `w` and `I`: who comes by our own socket may enter and is an operator, so that bots speak and
 * act whatever the modes are.
 */
const inspircdModes = (channel: string, { lines, age }: Keeping): string =>
  `SAMODE ${channel} +PHwI ${lines}:${age} o:*!*@${botHost} *!*@${botHost}`

const fromChanServ = (line: Line): boolean => line.command === 'NOTICE' && /^chanserv!/i.test(line.prefix)

/** Registers a channel with Ergo's ChanServ, which keeps its topic, modes and history. Our bots are its operators. */
async function register(session: Session, channel: string, bots: readonly string[]): Promise<void> {
  await insist(session, channel, [`SAMODE ${channel} +o ${session.nick}`])
  const told = (await command(session, [`PRIVMSG ChanServ :REGISTER ${channel}`])).filter(fromChanServ).map(lastParam)
  if (!told.some(line => /successfully registered|already registered/i.test(line)))
    throw new ChanopError('send-refused', `${channel} was not registered: ${told.join(' ') || 'ChanServ is silent'}`)
  await command(
    session,
    bots.map(bot => `PRIVMSG ChanServ :AMODE ${channel} +o ${bot}`),
  )
}

/** The opposite: the channel ends with whoever leaves it last. */
export async function unregister(session: Session, channel: string): Promise<void> {
  const asked = (await command(session, [`PRIVMSG ChanServ :UNREGISTER ${channel}`])).filter(fromChanServ)
  const code = asked.map(line => /UNREGISTER \S+ (\S+)/.exec(lastParam(line))?.[1]).find(Boolean)
  if (code) await command(session, [`PRIVMSG ChanServ :UNREGISTER ${channel} ${code}`])
}
