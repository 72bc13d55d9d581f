import { randomBytes } from 'node:crypto'
import type { ChatEvent, NetworkId } from '../../../core/event.ts'
import { type Batch, isBatch, joinMultiline } from '../link/batch.ts'
import type { Session } from '../link/session.ts'
import { Sends } from '../link/settle.ts'
import { flatten, History } from '../past/history.ts'
import { type LineContext, toEvents } from '../text/inbound.ts'
import type { Line } from '../text/line.ts'

/** What all connections of a network share. */
export interface Shared {
  readonly network: NetworkId
  readonly instance: string
  /** One connection speaks for all bots. */
  readonly alone: boolean
  isOwn(nick: string): boolean
  isFace(nick: string): boolean
  placeOf(folded: string): string
  channelsOf(nick: string): readonly string[]
  accountOf(nick: string): string | null
}

/** Batches of what was said before, unasked: `chathistory`, `znc.in/playback`. */
const replays = /chathistory$|playback$/

/** One registered connection with what hangs on it: its sends, its history and the way its lines are read. */
export class Voice {
  readonly session: Session
  /** null for the main connection. */
  readonly persona: string | null
  readonly sends: Sends
  readonly history: History
  readonly heard: LineContext
  #count = 0

  constructor(session: Session, persona: string | null, shared: Shared) {
    const nonce = randomBytes(6).toString('hex')
    this.session = session
    this.persona = persona
    this.sends = new Sends(session, nonce)
    this.history = new History(session)
    this.heard = {
      network: shared.network,
      instance: shared.instance,
      persona,
      calledAs: () => (shared.alone ? session.nick : null),
      nonce,
      connectedMs: session.startedMs,
      clock: session.clock,
      fold: name => session.fold(name),
      placeOf: folded => shared.placeOf(folded),
      isChannel: name => session.isChannel(name),
      isOwn: nick => session.isSelf(nick) || shared.isOwn(nick),
      isFace: nick => shared.isFace(nick),
      channelsOf: nick => shared.channelsOf(nick),
      accountOf: nick => shared.accountOf(nick),
    }
  }

  events(line: Line, history?: string, split?: true): ChatEvent[] {
    const told = { line, count: ++this.#count }
    return toEvents({ ...told, ...(history === undefined ? {} : { history }), ...(split ? { split } : {}) }, this.heard)
  }

  /** What a batch that answers nothing tells: a multiline message, a netsplit, anything else line by line. */
  batchEvents(batch: Batch, each: (line: Line) => void): ChatEvent[] {
    if (batch.type === 'draft/multiline') {
      const line = joinMultiline(batch)
      if (line) each(line)
      return line ? this.events(line) : []
    }
    const history = replays.test(batch.type) ? batch.start.params[2] : undefined
    const split = batch.type === 'netsplit' ? (true as const) : undefined
    return batch.items.flatMap(item => {
      if (isBatch(item)) return this.batchEvents(item, each)
      const events = this.events(item, history, split)
      each(item)
      return events
    })
  }

  /** The lines of a replay that the server sent by itself when a channel was joined; null for other batches. */
  replay(batch: Batch): { channel: string; lines: Line[] } | null {
    if (batch.type !== 'chathistory' || batch.start.tags['label'] !== undefined) return null
    return { channel: this.session.fold(batch.start.params[2] ?? ''), lines: flatten(batch) }
  }

  close(): void {
    this.sends.close()
    this.history.close()
  }
}
