/** What the ledger says became of each numbered message. */
import { states } from '../../core/ledger/out/deliveries.ts'
import { connect } from '../../core/ledger/sqlite.ts'
import { sleep } from '../../core/retry.ts'
import type { Side } from '../instance.ts'
import { tokenOf } from './stream.ts'

/** `N`: the networks of the run. */
export interface Copy<N extends string = Side> {
  readonly id: number
  readonly to: N
  readonly state: string
  readonly attempts: number
  readonly createdMs: number
  readonly settledMs: number | null
  readonly repeat: boolean
  readonly error: string | null
  readonly natives: readonly string[]
}

export interface Fact<N extends string = Side> {
  readonly seq: number
  readonly token: string
  readonly from: N
  readonly native: string
  readonly backfill: boolean
  readonly receivedMs: number
  readonly copies: readonly Copy<N>[]
}

type Row = Record<string, string | number | null>

const stateName = (value: number): string =>
  Object.entries(states).find(([, number]) => number === value)?.[0] ?? String(value)

const textOf = (body: string): string =>
  (JSON.parse(body) as { content: { segments: { text?: string }[] } }).content.segments
    .map(segment => segment.text ?? '')
    .join('')

function copyOf<N extends string>(row: Row): Copy<N> {
  return {
    id: Number(row['id']),
    to: row['network'] as N,
    state: stateName(Number(row['state'])),
    attempts: Number(row['attempts']),
    createdMs: Number(row['created_ms']),
    settledMs: row['settled_ms'] === null ? null : Number(row['settled_ms']),
    repeat: String(row['act']).includes('"repeat":true'),
    error: row['error'] as string | null,
    natives: String(row['natives'] ?? '')
      .split(' ')
      .filter(Boolean),
  }
}

/** Every numbered message in the ledger, in its order. */
export function readRecord<N extends string = Side>(path: string): Fact<N>[] {
  const db = connect(path, { readonly: true })
  try {
    const rows = db
      .prepare(
        `SELECT e.seq, e.native, e.flags, e.received_ms, e.body, p.network FROM event e JOIN place p ON p.id = e.place
         WHERE e.kind = 'message' ORDER BY e.seq`,
      )
      .all() as Row[]
    const copies = db.prepare(
      `SELECT d.*, p.network, (SELECT group_concat(native, ' ') FROM copy c WHERE c.source = d.source AND c.delivery = d.id) AS natives
       FROM delivery d JOIN place p ON p.id = d.place WHERE d.source = ?`,
    )
    return rows.flatMap(row => {
      const token = tokenOf(textOf(row['body'] as string))
      if (token === null) return []
      return {
        token,
        seq: Number(row['seq']),
        from: row['network'] as N,
        native: row['native'] as string,
        backfill: (Number(row['flags']) & 8) !== 0,
        receivedMs: Number(row['received_ms']),
        copies: (copies.all(row['seq']) as Row[]).map(copyOf<N>),
      }
    })
  } finally {
    db.close()
  }
}

/** What the record says that it lacks. */
export interface Gap {
  readonly from: string
  readonly channel: string
  readonly fromMs: number
  readonly toMs: number
  readonly reason: string
}

export function readGaps(path: string): Gap[] {
  const db = connect(path, { readonly: true })
  try {
    return db
      .prepare(
        `SELECT p.network AS "from", p.channel, e.at_ms AS toMs, e.body ->> 'fromMs' AS fromMs, e.body ->> 'reason' AS reason
         FROM event e JOIN place p ON p.id = e.place WHERE e.kind = 'gap' ORDER BY e.seq`,
      )
      .all() as Gap[]
  } finally {
    db.close()
  }
}

/** How many deliveries still wait. */
function openDeliveries(path: string): number {
  const db = connect(path, { readonly: true })
  try {
    return Number(db.prepare('SELECT count(*) FROM delivery WHERE state < 10').pluck().get())
  } finally {
    db.close()
  }
}

/** The last messages may wait for a server, a reconnect and a lookup of what became of them. */
const quietMs = 20_000

/** Resolves once nothing waits and nothing is missing, or nothing has moved for a while. */
export async function settled(path: string, missing: (facts: readonly Fact[]) => number): Promise<void> {
  let state = ''
  for (let movedMs = performance.now(); performance.now() - movedMs < quietMs; await sleep(500)) {
    const facts = readRecord(path)
    const [lacks, open] = [missing(facts), openDeliveries(path)]
    if (lacks === 0 && open === 0) break
    const now = `${facts.length} ${lacks} ${open}`
    if (now !== state) movedMs = performance.now()
    state = now
  }
  // A double would come late as well.
  await sleep(1000)
}
