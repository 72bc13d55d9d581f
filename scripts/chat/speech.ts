/** Where a PRIVMSG or NOTICE belongs. */
import { fromUser, type Line, serverTimeMs } from '../../adapters/irc/text/line.ts'
import type { Fold } from '../../adapters/irc/text/names.ts'
import type { Entry } from './entry.ts'

export interface Listener {
  readonly nick: string
  readonly fold: Fold
  /** Whether that channel is open and that nick is in it. */
  shares(channel: string, nick: string): boolean
}

export interface Placed {
  /** Channel or nick; '' is the server's window. */
  readonly window: string
  readonly entry: Entry
}

/** The server's own helpers say nothing that needs a window each. */
const service = /^([a-z]+serv|global)$/i
const ctcp = /^\x01([A-Za-z]+)(?: ([^\x01]*))?\x01?$/

/** A private notice of somebody in the channel it names (IRCv3 channel-context) is read there. */
function context({ tags, nick }: Line, self: Listener): string | null {
  const named = tags['+channel-context'] ?? tags['+draft/channel-context']
  return named !== undefined && self.shares(named, nick) ? named : null
}

function windowOf(line: Line, self: Listener, own: boolean): string {
  const target = (line.params[0] ?? '').replace(/^[~&@%+!]+(?=[#&])/, '')
  if (/^[#&]/.test(target)) return target
  if (!fromUser(line)) return ''
  if (own) return target
  return context(line, self) ?? (line.command === 'NOTICE' && service.test(line.nick) ? '' : line.nick)
}

/** null for what is not said to people: CTCP other than ACTION. */
export function placeSpeech(line: Line, past: boolean, self: Listener, nowMs = Date.now()): Placed | null {
  const said = line.params[1] ?? ''
  const request = ctcp.exec(said)
  if (request && request[1]?.toUpperCase() !== 'ACTION') return null
  const own = self.fold(line.nick) === self.fold(self.nick)
  const kind = line.command === 'NOTICE' ? 'notice' : request ? 'action' : 'message'
  const entry: Entry = {
    id: line.tags['msgid'] ?? null,
    atMs: serverTimeMs(line) ?? nowMs,
    kind,
    from: line.nick,
    text: request ? (request[2] ?? '') : said,
    own,
    past,
  }
  return { window: windowOf(line, self, own), entry }
}
