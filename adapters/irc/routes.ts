import { ChanopError } from '../../core/error.ts'
import type { Draft, NetworkId, Place, UserId } from '../../core/event.ts'
import type { Channels } from './channels.ts'
import type { Face } from './people/faces.ts'
import type { Voice } from './people/voice.ts'
import { reach, type Whois } from './people/whois.ts'
import { parseDirect } from './text/names.ts'

/** The bot whose connection listens in all channels. */
export const mainBot = 'bridge'
const typingMs = 3_000
/** When to offer again what could not be said because the connection or the channel was not there. */
const waitMs = 100

/** Who speaks, where to, and what it takes. */
export interface Route {
  readonly voice: Voice
  readonly face: Face
  readonly target: string
}

export interface RoutesOptions {
  readonly network: NetworkId
  readonly main: Face
  /** The personas. */
  readonly faces: ReadonlyMap<string, Face>
  readonly channels: Channels
  /** The nick somebody with this account was last seen under. */
  lastNick(user: UserId): string | null
  /** Whether somebody is where we see them go or take another nick. */
  isSeen(nick: string): boolean
}

/** Which connection says something, and to which nick or channel. */
export class Routes {
  readonly #o: RoutesOptions
  /** Nicks of people with accounts, as far as they were asked for and we see it when somebody else may have them. */
  readonly #reached = new Map<UserId, string>()
  readonly #typed = new Map<string, number>()

  constructor(options: RoutesOptions) {
    this.#o = options
  }

  /** Somebody has another nick, or is gone: who that was is asked again. */
  forget(): void {
    this.#reached.clear()
  }

  /** Certainly not sent. */
  #notConnected(what: string): ChanopError {
    return new ChanopError('send-later', `${what}; it waits for the connection`, { afterMs: waitMs })
  }

  /** The connection of a face. Throws `send-later` when it is not there. */
  voiceOf(face: Face): Voice {
    if (!face.open) throw this.#notConnected(`${face.bot} is not connected to ${this.#o.network}`)
    return face.open
  }

  /** The connection that speaks for a persona; the main one for everybody else. */
  speaker(place: Place, as: Draft['as']): Face {
    const asked = parseDirect(place.channel)?.persona
    const bot = asked ?? (as && !as.relayed ? as.name : mainBot)
    return this.#o.faces.get(bot) ?? this.#o.main
  }

  /** At once where the target is known, else after asking the server who has the account. */
  to(place: Place, as: Draft['as'], secret: boolean): Route | Promise<Route> {
    const face = this.#inside(this.speaker(place, as), place)
    const voice = this.voiceOf(face)
    const direct = parseDirect(place.channel)
    if (!direct) {
      const route = { voice, face, target: place.channel }
      const state = this.#o.channels.status(place.channel)
      if (state === 'joining') return this.#entered(place.channel).then(() => route)
      if (state === 'out') throw this.#notConnected(`not in ${place.channel} yet`)
      return route
    }
    const known = direct.user.startsWith('~') ? direct.user.slice(1) : this.#reached.get(direct.user)
    if (known !== undefined && !secret) return { voice, face, target: known }
    return this.reach(voice, direct.user).then(({ nick }) => ({ voice, face, target: nick }))
  }

  /** Whom a channel does not let in is spoken for by the main connection. */
  #inside(face: Face, { channel }: Place): Face {
    const state = face.main || parseDirect(channel) ? 'in' : face.inside.state(channel)
    if (state === 'joining') throw this.#notConnected(`${face.bot} is not in ${channel} yet`)
    return state === 'out' ? this.#o.main : face
  }

  async #entered(channel: string): Promise<void> {
    await this.#o.channels.left(channel, 'joining')
    if (this.#o.channels.status(channel) === 'out') throw this.#notConnected(`not in ${channel} yet`)
  }

  /** Asks the server under which nick an account is connected. Rejects `send-refused` when it is not. */
  async reach(voice: Voice, user: UserId): Promise<Whois> {
    const found = await reach(voice.session, user, this.#o.lastNick(user))
    if (!user.startsWith('~') && this.#o.isSeen(found.nick)) this.#reached.set(user, found.nick)
    return found
  }

  /** Shows that a persona is writing, not more often than every 3 s, and never before messages that wait. */
  typing(place: Place, as: string, active: boolean): void {
    const face = this.speaker(place, { name: as })
    const direct = parseDirect(place.channel)
    const target = direct ? (this.#reached.get(direct.user) ?? this.#o.lastNick(direct.user)) : place.channel
    const session = face.open?.session
    if (!session?.has('message-tags') || !target || session.flood.waiting > 0) return
    const key = `${as} ${place.channel}`
    const nowMs = performance.now()
    if (active && nowMs - (this.#typed.get(key) ?? -typingMs) < typingMs) return
    if (active) this.#typed.set(key, nowMs)
    else this.#typed.delete(key)
    session.write(`@+typing=${active ? 'active' : 'done'} TAGMSG ${target}`)
  }
}
