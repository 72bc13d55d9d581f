import type { ChatEvent, MessageId } from '../../core/event.ts'
import type { Heardpoint } from './past/catchup.ts'
import type { Line } from './text/line.ts'

/** We were in, and try again at once; from the second time on we wait. */
export const rejoinBackoff = { firstMs: 2_000, maxMs: 300_000 }
/** Whoever was in for so long is out for the first time. */
export const steadyMs = 60_000
export const joinDeadlineMs = 60_000
/** Bytes of the names in one JOIN: with what stands around them a line is at most 512. */
const joinBytes = 400

/** The fewest lines that ask to be let into these channels: a server takes only so many at once. */
export function joinLines(names: readonly string[]): string[] {
  const lines: string[] = []
  for (const name of names) {
    const joined = `${lines.at(-1) ?? ''},${name}`
    if (lines.length > 0 && Buffer.byteLength(joined) <= joinBytes) lines[lines.length - 1] = joined
    else lines.push(name)
  }
  return lines.map(line => `JOIN ${line}`)
}

export const because = (what: string, reason: string | undefined): string => (reason ? `${what}: ${reason}` : what)

/** Our own deliveries in the replay of this connection and heard since: tag value → id. */
export interface Replayed {
  readonly marks: Map<string, MessageId>
  /** It reaches back to what the ledger knew then. */
  readonly whole: boolean
  /** When the oldest of it was said, by the server's clock; null: it is all that was ever said. */
  readonly fromMs: number | null
}

/** One channel that we listen in. */
export interface Channel {
  /** As it is written, for JOIN. */
  readonly name: string
  state: 'out' | 'joining' | 'catching' | 'live'
  /** Live events that wait until what was missed before them is handed over. */
  held: ChatEvent[]
  /** What the server replayed at this JOIN by itself. */
  replay: Line[] | null
  replayed: Replayed | null
  /** From where on what was missed is being handed over, until it is: put out meanwhile, we begin there again. */
  behind: Promise<Heardpoint | null> | null
  /** When it was last heard in this process, Unix ms. */
  heardMs: number | null
  /** As the rooms write it; null where they do not: events then bear the name as the server compares it. */
  place: string | null
  /** How often it was tried since it last worked for a while. */
  attempt: number
  joinedMs: number
  again: NodeJS.Timeout | undefined
  /** Told of the next change of state. */
  watchers: (() => void)[]
}

export const newChannel = (name: string): Channel => ({
  name,
  state: 'out',
  held: [],
  replay: null,
  replayed: null,
  behind: null,
  heardMs: null,
  place: null,
  attempt: 0,
  joinedMs: 0,
  again: undefined,
  watchers: [],
})

export function turn(channel: Channel, state: Channel['state']): void {
  channel.state = state
  const { watchers } = channel
  channel.watchers = []
  for (const watcher of watchers) watcher()
}
