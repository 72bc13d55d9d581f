import type { Current } from '../../../core/ledger/record/history.ts'
import { plain } from '../../../core/text/text.ts'
import { shownMessage } from '../shown.ts'

/** What many readers get at once, in order: put into words once, for the first of them. */
export class Batch {
  readonly facts: readonly Fact[]
  /** The number up to which all is done with: what is not among the facts is not for these readers. */
  readonly upTo: number
  #events: Buffer | null = null

  constructor(facts: readonly Fact[], upTo: number) {
    this.facts = facts
    this.upTo = upTo
  }

  /** As server-sent events. */
  get events(): Buffer {
    this.#events ??= Buffer.from(this.facts.map(({ event }) => event).join(''))
    return this.#events
  }
}

/** A fact on its way to many readers: put into words once, for the first of them. */
export class Fact {
  readonly stored: Current
  #json: string | null = null
  #event: string | null = null

  constructor(stored: Current) {
    this.stored = stored
  }

  get seq(): number {
    return this.stored.seq
  }

  /** One JSON object on one line. */
  get json(): string {
    this.#json ??= JSON.stringify({ kind: this.stored.event.kind, ...shown(this.stored) })
    return this.#json
  }

  /** As a server-sent event. */
  get event(): string {
    this.#event ??= `id: ${this.seq}\nevent: ${this.stored.event.kind}\ndata: ${this.json}\n\n`
    return this.#event
  }
}

function shown(stored: Current): Record<string, unknown> {
  if ('content' in stored) {
    const { kind: sender, ...message } = shownMessage(stored)
    return { ...message, sender }
  }
  const { seq, event, room, target } = stored
  const base = {
    id: seq,
    at: new Date(event.atMs).toISOString(),
    channel: room,
    place: `${event.place.network}:${event.place.channel}`,
    nick: event.sender.name,
    account: `${event.place.network}:${event.sender.id}`,
    sender: event.sender.kind,
    verified: event.sender.verified,
    ...(target === undefined ? {} : { target }),
  }
  switch (event.kind) {
    case 'edit':
      return { ...base, text: plain(event.content) }
    case 'reaction':
      return { ...base, emoji: event.emoji, ...(event.removed ? { removed: true } : {}) }
    case 'member':
      return { ...base, change: event.change, ...(event.detail === undefined ? {} : { detail: event.detail }) }
    case 'topic':
      return { ...base, topic: event.topic }
    case 'gap':
      return { ...base, reason: event.reason }
    default:
      return base
  }
}
