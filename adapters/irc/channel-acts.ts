import type { Channels } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { Place, UserId } from '../../core/event.ts'
import type { Session } from './link/session.ts'
import { isRefusal } from './link/settle.ts'
import { botHost, history } from './server/settings.ts'
import { type Line, lastParam } from './text/line.ts'

/** What the acts need of the connection that does them. */
export interface Hand {
  /** Rejects `send-later` when it is not there. */
  session(): Session
  /** The nick an account is connected under. Rejects `send-refused` when it is not. */
  nickOf(user: UserId): Promise<string>
  /** Nicks of our own connections, folded. */
  isOwn(nick: string): boolean
  enter(place: Place): Promise<void>
  leave(place: Place, reason: string): Promise<void>
}

type Plain = Required<Pick<Channels, 'join' | 'part' | 'mode' | 'kick'>>
type Managed = Required<Pick<Channels, 'bring' | 'keep' | 'release'>>

/** Already so: in the channel (443), not in it (441), gone (401). */
const settled = new Set(['441', '443'])

const oneLine = (text: string): string => text.replaceAll(/[\x00-\x1f\x7f]+/g, ' ').trim()

const isInspircd = (session: Session): boolean => /inspircd/i.test(session.server)

/** Says lines and collects what the server answers to them: a PING behind them shows when it has worked through. */
async function command(session: Session, lines: readonly string[]): Promise<Line[]> {
  const token = `chanop-act-${Math.random().toString(36).slice(2)}`
  const answers: Line[] = []
  for (const line of lines) session.write(line)
  return session.ask(`PING :${token}`, line => {
    if (line.command === 'PONG' && lastParam(line) === token) return answers
    answers.push(line)
    return undefined
  })
}

/** The same, rejecting with the first refusal that is about `subject`: a channel, or a nick. */
async function insist(session: Session, subject: string, lines: readonly string[]): Promise<Line[]> {
  const key = session.fold(subject)
  const answers = await command(session, lines)
  const no = answers.find(
    line =>
      isRefusal(line) &&
      !settled.has(line.command) &&
      (line.command === '472' || line.params.some(param => session.fold(param) === key)),
  )
  if (no) throw new ChanopError('send-refused', `the server refused it: ${lastParam(no)} (${no.command})`)
  return answers
}

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

async function unregister(session: Session, channel: string): Promise<void> {
  const asked = (await command(session, [`PRIVMSG ChanServ :UNREGISTER ${channel}`])).filter(fromChanServ)
  const code = asked.map(line => /UNREGISTER \S+ (\S+)/.exec(lastParam(line))?.[1]).find(Boolean)
  if (code) await command(session, [`PRIVMSG ChanServ :UNREGISTER ${channel} ${code}`])
}

/** Who is in a channel, nicks without their prefixes. */
async function names(session: Session, channel: string): Promise<string[]> {
  const lines = await command(session, [`NAMES ${channel}`])
  const key = session.fold(channel)
  return lines
    .filter(line => line.command === '353' && session.fold(line.params[2] ?? '') === key)
    .flatMap(line => lastParam(line).split(' '))
    .map(name => name.replace(/^[~&@%+!]+/, '').replace(/!.*$/, ''))
    .filter(Boolean)
}

/** What is there already is not set again: nobody sees a change where there is none. */
async function topicIs(session: Session, channel: string, topic: string): Promise<boolean> {
  const shown = await command(session, [`TOPIC ${channel}`])
  return shown.some(line => line.command === '332' && lastParam(line) === topic)
}

/** Acts on channels by any connection that has the rights there. */
function plainActs(hand: Hand, by: { readonly managed: boolean }): Plain {
  const sa = (session: Session): string => (by.managed && isInspircd(session) ? 'SA' : '')
  return {
    join: place => hand.enter(place),
    part: (place, reason) => hand.leave(place, reason),
    async mode({ channel }, modes) {
      await insist(hand.session(), channel, [`${by.managed ? 'SA' : ''}MODE ${channel} ${oneLine(modes)}`])
    },
    async kick({ channel }, user, reason) {
      const session = hand.session()
      const nick = await hand.nickOf(user)
      await insist(session, nick, [`${sa(session)}KICK ${channel} ${nick} :${oneLine(reason)}`])
    },
  }
}

/** What only the operators of a server can do. */
function managedActs(hand: Hand, bots: readonly string[]): Managed {
  return {
    async bring({ channel }, users) {
      const session = hand.session()
      const nicks = await Promise.all(users.map(user => hand.nickOf(user).catch(absent)))
      const there = nicks.filter(nick => nick !== null)
      await command(
        session,
        there.map(nick => `SAJOIN ${nick} ${channel}`),
      )
      return there.length
    },
    async keep(place, { modes, topic }) {
      const session = hand.session()
      const { channel } = place
      await hand.enter(place)
      if (isInspircd(session)) await insist(session, channel, inspircdModes(channel))
      else await register(session, channel, bots)
      if (modes) await insist(session, channel, [`SAMODE ${channel} ${oneLine(modes)}`])
      const wanted = oneLine(topic)
      if (wanted === '' || (await topicIs(session, channel, wanted))) return
      await insist(session, channel, [`${isInspircd(session) ? 'SA' : ''}TOPIC ${channel} :${wanted}`])
    },
    async release(place, reason) {
      const session = hand.session()
      const { channel } = place
      const kick = isInspircd(session) ? 'SAKICK' : 'KICK'
      const others = (await names(session, channel)).filter(nick => !hand.isOwn(nick))
      await command(
        session,
        others.map(nick => `${kick} ${channel} ${nick} :${oneLine(reason)}`),
      )
      if (isInspircd(session)) await command(session, [`SAMODE ${channel} -P`])
      else await unregister(session, channel)
      await hand.leave(place, oneLine(reason))
    },
  }
}

/**
 * `P`: stays when empty and over restarts, with topic, modes and lists. `H`: what is replayed to whoever joins. `w` and `I`:
 * who comes by our own socket may enter and is an operator, so that bots speak and act whatever the modes are.
 */
const inspircdModes = (channel: string): string[] => [
  `SAMODE ${channel} +PHwI ${history.inspircdLines}:${history.inspircdAge} o:*!*@${botHost} *!*@${botHost}`,
]

function absent(error: unknown): null {
  if (error instanceof ChanopError && error.code === 'send-refused') return null
  throw error
}

/** Acts on the channels of this network. `bots`: accounts that are operators in every kept channel. */
export const channelActs = (hand: Hand, managed: boolean, bots: readonly string[]): Channels => ({
  ...plainActs(hand, { managed }),
  ...(managed ? managedActs(hand, bots) : {}),
})
