import type { ChatEvent, Sign } from '../../core/event.ts'
import type { Log } from '../../core/log.ts'
import { plain } from '../../core/text/text.ts'
import type { Interactions } from './commands/interactions.ts'
import type { Following } from './following.ts'
import type { Directory } from './guild/directory.ts'
import { type Happenings, topicOf } from './happenings.ts'
import type { Reader } from './inbound.ts'
import type { Quotes } from './out/quotes.ts'
import type { Directs } from './past/directs.ts'
import type { Seen } from './past/seen.ts'
import type { Told } from './wire/gateway.ts'

export interface IntakeOptions {
  readonly directory: Directory
  readonly following: Following
  readonly reader: Reader
  readonly happenings: Happenings
  readonly interactions: Interactions
  readonly quotes: Quotes
  readonly seen: Seen
  readonly directs: Directs
  readonly log: Log
  push(events: readonly ChatEvent[]): void
  signs(signs: readonly Sign[]): void
  /** What has to be known before an event can be read (its channel, whose webhook it came by), or null: nothing. */
  awaited(told: Told, root: string): Promise<void> | null
}

interface Waiting {
  readonly told: Told
  /** What has to be known before it can be read was asked for already. */
  prepared: boolean
}

/**
 * Events on their way from the gateway to the ledger, in order in each channel. What happens in one waits while its past is being
 * fetched: an event of now that the ledger had before it would count as where the next backfill goes on.
 */
export class Intake {
  readonly #o: IntakeOptions
  readonly #waiting = new Map<string, Waiting[]>()
  /** How many fetch the past of a channel. */
  readonly #catching = new Map<string, number>()
  readonly #preparing = new Set<string>()
  #holdsAll = false

  constructor(options: IntakeOptions) {
    this.#o = options
  }

  /** A new session: nothing of any channel goes on before its past is there, which is fetched anew. */
  holdAll(): void {
    this.#holdsAll = true
    this.#catching.clear()
  }

  /** From now on only those that are held by name wait. */
  holdNamed(roots: readonly string[]): void {
    this.#holdsAll = false
    for (const root of roots) this.hold(root)
    for (const root of this.#waiting.keys()) this.#drain(root)
  }

  /** As often as it was held it has to be released. */
  hold(root: string): void {
    this.#catching.set(root, (this.#catching.get(root) ?? 0) + 1)
  }

  release(root: string): void {
    const left = (this.#catching.get(root) ?? 1) - 1
    if (left > 0) this.#catching.set(root, left)
    else this.#catching.delete(root)
    this.#drain(root)
  }

  take(told: Told): void {
    const root = this.#rootOf(told)
    if (root === null) this.#process(told)
    else this.#queue(root, { told, prepared: false })
  }

  #queue(root: string, one: Waiting): void {
    const waiting = this.#waiting.get(root)
    if (waiting) waiting.push(one)
    else this.#waiting.set(root, [one])
    this.#drain(root)
  }

  #isHeld(root: string): boolean {
    return this.#holdsAll || this.#catching.has(root) || this.#preparing.has(root)
  }

  /** Hands on what waits there, up to what has to be prepared first: the rest waits behind it. */
  #drain(root: string): void {
    const waiting = this.#waiting.get(root) ?? []
    for (let next = waiting[0]; next && !this.#isHeld(root); next = waiting[0]) {
      const preparing = next.prepared ? null : this.#o.awaited(next.told, root)
      if (preparing) return this.#prepare(root, next, preparing)
      waiting.shift()
      // A thread that nobody told us of may turn out to belong to a channel.
      const known = this.#rootOf(next.told) ?? root
      if (known === root) this.#process(next.told)
      else this.#queue(known, next)
    }
    if (waiting.length === 0) this.#waiting.delete(root)
  }

  #prepare(root: string, one: Waiting, preparing: Promise<void>): void {
    this.#preparing.add(root)
    const go = (): void => {
      one.prepared = true
      this.#preparing.delete(root)
      this.#drain(root)
    }
    preparing.then(go, go)
  }

  #rootOf({ packet }: Told): string | null {
    const { d } = packet
    // What was filled in as a form waits for nothing: Discord gives it three seconds.
    if (packet.t === 'INTERACTION_CREATE' || packet.t === 'TYPING_START') return null
    const id = (d as { channel_id?: unknown } | null)?.channel_id
    if (typeof id !== 'string') return null
    const channel = this.#o.directory.channels.get(id)
    return channel ? this.#o.following.root(channel) : id
  }

  /** No event, whatever it is, keeps up those behind it. */
  #process(told: Told): void {
    try {
      this.#read(told)
    } catch (error) {
      this.#o.log.error({ error, event: told.packet.t }, 'an event of Discord was not understood')
    }
  }

  #read({ packet, mark, replayed }: Told): void {
    const origin = replayed ? 'backfill' : 'live'
    const life = this.#o.happenings.lifeOf(packet)
    if (life) this.#o.signs([life])
    const events = this.#o.happenings.eventsOf({ packet, mark, origin })
    if (packet.t === 'INTERACTION_CREATE') events.push(...this.#interaction(packet.d))
    this.pass(events)
  }

  #interaction(d: Parameters<Interactions['take']>[0]): ChatEvent[] {
    const { directory, following, interactions } = this.#o
    const id = d.channel?.id
    if (id === undefined) return []
    const guild = d.guild_id ?? null
    const channel =
      directory.channels.get(id) ?? (guild === null ? following.direct(id) : directory.note(d.channel as never, guild))
    const asked = interactions.take(d, channel)
    return asked ? [asked] : []
  }

  topic(told: Told, was: string | null): void {
    const { packet, mark, replayed } = told
    if (packet.t !== 'CHANNEL_UPDATE') return
    const channel = this.#o.following.of(packet.d.id, 'guild_id' in packet.d ? (packet.d.guild_id ?? '') : '')
    const event = channel && topicOf(this.#o.reader, channel, was, mark, replayed ? 'backfill' : 'live')
    if (event) this.pass([event])
  }

  /** Hands events on to the ledger, and keeps of them what is asked for later. */
  pass(events: readonly ChatEvent[]): void {
    for (const event of events) {
      if (event.kind === 'message' && !event.asked) {
        const channel = event.place.thread ?? event.place.channel
        this.#o.seen.note(channel, event.id)
        this.#o.quotes.note(event.id, event.sender.name, plain({ segments: event.content.segments }))
        if (event.place.private) this.#o.directs.note(event.place.channel).catch(() => undefined)
      }
      if (event.kind === 'delete') this.#o.seen.remove(event.place.thread ?? event.place.channel, event.target)
    }
    if (events.length > 0) this.#o.push(events)
  }
}
