import type { AdapterContext, Found } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { Draft, MessageId, Place, Reaction } from '../../core/event.ts'
import { Recent } from '../../core/recent.ts'
import { ownWayIsSecure, react, redact } from './acts.ts'
import type { Channels } from './channels.ts'
import type { Outgoing } from './link/settle.ts'
import { findDelivery } from './past/find.ts'
import { forgetLater } from './past/forget.ts'
import type { Face } from './people/faces.ts'
import { Relaying } from './relaying.ts'
import type { Route, Routes } from './routes.ts'
import { isFormatted, withoutFormat } from './text/format.ts'
import { frameFor } from './text/frame.ts'
import { parseDirect } from './text/names.ts'
import { compose, type Frame } from './text/outbound.ts'

export interface SpeechOptions {
  readonly context: AdapterContext
  readonly routes: Routes
  readonly main: Face
  readonly channels: Channels
}

/** Deliveries that may have gone out in part, at most. */
const mostPartial = 1000
const isError = (error: unknown, code: ChanopError['code']): boolean =>
  error instanceof ChanopError && error.code === code

/** What is refused there is refused for whoever says it, whatever it is. */
const refusesSpeech = /\((?:404|477|489)\)$/
const notThere = /\((?:403|442)\)$/
/** By then we are back, or the channel is one that does not work. */
const backMs = 1000
const refusesFormat = ({ message }: ChanopError): boolean => /\+c\b|colou?r|control code|formatting/i.test(message)

/** What we say and do to what was said, on the connection that each place and face leads to; and what became of it. */
export class Speech {
  readonly #o: SpeechOptions
  readonly #relaying: Relaying
  /** Channels that take no formatting. */
  readonly #plain = new Set<string>()
  /** Parts of a delivery that were found although the rest was not, by their mark: `send` goes on behind them. */
  readonly #found = new Recent<string, ReadonlyMap<string, MessageId>>(mostPartial)
  /** Parts that went out before one that is to be tried again, by mark and lines: cut otherwise, they are others. */
  readonly #landed = new Recent<string, ReadonlyMap<string, MessageId>>(mostPartial)

  constructor(options: SpeechOptions) {
    this.#o = options
    this.#relaying = new Relaying((channel, reason) =>
      options.context.log.info({ channel, reason }, 'RELAYMSG is not allowed here; names stand in the text'),
    )
  }

  /** The connection ended: what channels take may be otherwise on the next one. */
  forget(): void {
    this.#relaying.forget()
    this.#plain.clear()
  }

  async send(place: Place, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    if (draft.secret && !parseDirect(place.channel)) {
      throw new ChanopError('send-refused', 'a secret is never said in a channel: write to me privately')
    }
    const routed = this.#o.routes.to(place, draft.as, draft.secret === true)
    const route = routed instanceof Promise ? await routed : routed
    const relayed = this.#relaying.allowed(place.channel) ? this.#frame(route, draft, deliveryId, true) : null
    const plain = (): Promise<readonly MessageId[]> => this.#plainly(route, draft, deliveryId)
    if (relayed !== null && relayed.relayAs !== null) {
      const said = (): Promise<readonly MessageId[]> => this.#say(route, compose(draft, relayed), deliveryId)
      return this.#relaying.attempt(place.channel, said, plain)
    }
    const clear = this.#relaying.clear(place.channel)
    if (clear) await clear
    const ids = await plain()
    if (draft.secret) forgetLater(route.voice, route.target, { ids, by: deliveryId }, this.#o.context.log)
    return ids
  }

  /** Under the name of the connection that says it: the main one where the persona's words are refused. */
  async #plainly(route: Route, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    const { main, routes } = this.#o
    const landed = new Map<string, MessageId>()
    try {
      return await this.#say(route, compose(draft, this.#frame(route, draft, deliveryId, false)), deliveryId, landed)
    } catch (error) {
      const isQuieted = error instanceof ChanopError && refusesSpeech.test(error.message)
      if (route.face.main || !isQuieted || landed.size > 0) throw error
      return this.#plainly({ ...route, face: main, voice: routes.voiceOf(main) }, draft, deliveryId)
    }
  }

  #frame({ voice, face, target }: Route, draft: Draft, deliveryId: string, relay: boolean): Frame {
    const { instance } = this.#o.context
    return frameFor(voice.session, { target, draft, deliveryId, relay, face: face.bot, instance })
  }

  /** `landed`: what has arrived, by its mark and lines, added to. */
  async #say(
    route: Route,
    messages: readonly Outgoing[],
    deliveryId: string,
    landed = new Map<string, MessageId>(),
  ): Promise<readonly MessageId[]> {
    const [found, before] = [this.#found.get(deliveryId), this.#landed.get(deliveryId)]
    const saying = messages.map(async message => {
      const said = [message.mark, ...message.lines(null)].join('\n')
      const id = found?.get(message.mark) ?? before?.get(said) ?? (await this.#try(route, message))
      landed.set(said, id)
      return id
    })
    const faults = (await Promise.allSettled(saying)).flatMap(end => (end.status === 'rejected' ? [end.reason] : []))
    this.#found.delete(deliveryId)
    this.#landed.delete(deliveryId)
    if (faults.length === 0) return Promise.all(saying)
    // What nobody can know of one part decides for all: only then is it asked for.
    const fault: unknown = faults.find(error => isError(error, 'network-down')) ?? faults[0]
    if (landed.size > 0 && isError(fault, 'send-later')) this.#landed.set(deliveryId, landed)
    throw fault
  }

  /** Where formatting is what a channel refuses, the words are said without it. */
  async #try(route: Route, message: Outgoing): Promise<MessageId> {
    const { voice, face } = route
    const { target } = message
    const kind = face.main ? 'speech' : (`persona ${face.bot}` as const)
    const plain = { ...message, lines: (label: string | null) => message.lines(label).map(withoutFormat) }
    try {
      const id = await voice.sends.say(this.#plain.has(target) ? plain : message)
      this.#o.channels.troubles.end(kind, target)
      return id
    } catch (error) {
      if (!(error instanceof ChanopError) || error.code !== 'send-refused' || !voice.session.isChannel(target))
        throw error
      if (!this.#plain.has(target) && refusesFormat(error) && message.lines(null).some(isFormatted)) {
        this.#plain.add(target)
        return this.#try(route, message)
      }
      const isOurs = this.#o.channels.status(target) !== 'other'
      if (isOurs && notThere.test(error.message)) throw this.#lost(route, error)
      const reason = face.main ? error.message : `${face.bot}: ${error.message}`
      if (refusesSpeech.test(error.message)) this.#o.channels.troubles.begin(kind, target, reason)
      throw error
    }
  }

  /** We are not where we thought: the connection goes back in, and the words with it. */
  #lost({ face, target }: Route, { message }: ChanopError): ChanopError {
    if (face.main) this.#o.channels.lost(target, message)
    else face.inside.out(target, message)
    return new ChanopError('send-later', `${message}: we enter it again`, { afterMs: backMs })
  }

  async react(place: Place, target: MessageId, reaction: Reaction, deliveryId: string): Promise<void> {
    const { voice, target: to } = await this.#o.routes.to(place, undefined, false)
    await react(voice, to, target, reaction, deliveryId)
  }

  async remove(
    place: Place,
    target: readonly MessageId[],
    reason: string | undefined,
    deliveryId: string,
  ): Promise<void> {
    const { voice, target: to } = await this.#o.routes.to(place, undefined, false)
    await redact(voice, to, { target, reason, deliveryId })
  }

  async find(place: Place, deliveryId: string, madeMs: number | undefined): Promise<Found> {
    const { voice, target } = await this.#o.routes.to(place, undefined, false)
    await this.#o.channels.left(place.channel, 'catching')
    const replayed = this.#o.channels.replayed(place.channel)
    return findDelivery({
      voice,
      cursors: this.#o.context.cursors,
      place,
      target,
      deliveryId,
      madeMs: madeMs === undefined ? null : madeMs + voice.session.clock.aheadMs,
      replayed,
      partly: ids => this.#found.set(deliveryId, ids),
    })
  }

  async isSecure(place: Place): Promise<boolean> {
    const direct = parseDirect(place.channel)
    const voice = this.#o.routes.speaker(place, undefined).open
    if (!direct || !voice || !ownWayIsSecure(voice)) return false
    // The main connection may be an operator's, who is shown addresses that others are not.
    return (await this.#o.routes.reach(this.#o.main.open ?? voice, direct.user)).secure
  }
}
