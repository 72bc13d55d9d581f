import type { FastifyReply, FastifyRequest } from 'fastify'
import { abandonCompletion, dropCompletion, type Ending } from '../../../core/ledger/oracle/completions.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { gone, holderOf, idempotencyKeyOf } from '../command.ts'
import type { House } from '../house.ts'
import { writeLater } from '../notes.ts'
import { asProblem, Problem } from '../problem.ts'
import { type Asking, follow, giveUp, problemOf } from './answer.ts'
import type { Form } from './form.ts'

/** A client sees that somebody works on it. */
const aliveMs = 10_000

export interface Work<F extends Form = Form> {
  readonly asking: Asking
  readonly form: F
  readonly signal: AbortSignal
}

/** How many read one answer: the same request may be sent again before we hear that the first has gone. */
class Readers {
  readonly #counts = new Map<string, number>()

  begin(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  /** True: it was the last one. */
  end(key: string): boolean {
    const left = (this.#counts.get(key) ?? 1) - 1
    if (left > 0) this.#counts.set(key, left)
    else this.#counts.delete(key)
    return left <= 0
  }
}

const readers = new WeakMap<House, Readers>()

function readersOf(house: House): Readers {
  const known = readers.get(house) ?? new Readers()
  readers.set(house, known)
  return known
}

/** Nobody reads on: nothing goes on either, and nothing is left but what may be asked for again. */
function endReading(tx: Tx, key: string, isKept: boolean): void {
  abandonCompletion(tx, key, Date.now())
  if (!isKept) dropCompletion(tx, key)
}

/** Why an answer is read no further. */
const cut = ({ reason }: AbortSignal): Problem =>
  reason instanceof Problem
    ? reason
    : new Problem(503, 'network-down', 'the server closes: ask again', { headers: { 'retry-after': '2' } })

/** Sees an answer through: who hangs up ends it. */
export async function answered<T>(
  house: House,
  request: FastifyRequest,
  reply: FastifyReply,
  asking: Asking,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { key, seq } = asking
  const left = gone(house, request, reply)
  readersOf(house).begin(key)
  try {
    return await work(AbortSignal.any([left, house.closing]))
  } finally {
    const isLast = readersOf(house).end(key)
    const isKept = idempotencyKeyOf(request) !== undefined
    if (seq !== null && left.aborted && isLast) await giveUp(house, seq, holderOf(request))
    if (seq === null && isLast) writeLater(house, tx => endReading(tx, key, isKept))
  }
}

/** The whole answer at once. */
export async function collected(house: House, work: Work): Promise<object> {
  const { form } = work
  return read(house, work, ending => form.whole(ending))
}

/** Reads an answer to its end. Throws a problem for what is none. */
export async function read(
  house: House,
  { asking, form, signal }: Work,
  whole: (ending: Ending) => object,
): Promise<object> {
  for await (const { parts, ending } of follow(house, asking, signal)) {
    for (const part of parts) form.take(part)
    if (!ending) continue
    const problem = problemOf(ending)
    if (problem) throw problem
    return whole(ending)
  }
  throw cut(signal)
}

/** Piece by piece. Until the first one, what goes wrong is a status; after it, the last thing that is said. */
export async function streamed(house: House, reply: FastifyReply, { asking, form, signal }: Work): Promise<void> {
  const { raw } = reply
  const begin = (): void => {
    if (!raw.headersSent) open(reply, form.opening)
  }
  const alive = setInterval(() => {
    begin()
    raw.write(': waiting\n\n')
  }, aliveMs)
  try {
    for await (const { parts, ending } of follow(house, asking, signal)) {
      const problem = ending && problemOf(ending)
      if (problem && parts.length === 0 && !raw.headersSent) throw problem
      begin()
      const pieces = parts.map(part => form.take(part)).join('')
      if (pieces !== '') raw.write(pieces)
      if (!ending) continue
      raw.write(problem ? form.failed(problem) : form.last(ending))
      raw.end(form.close)
      return
    }
    if (!raw.headersSent) throw cut(signal)
    raw.end(form.failed(cut(signal)))
  } catch (error) {
    if (!raw.headersSent) throw error
    const problem = asProblem(error)
    if (problem.code === 'internal') house.log.error({ error }, 'an answer broke off')
    raw.end(form.failed(problem))
  } finally {
    clearInterval(alive)
  }
}

function open(reply: FastifyReply, opening: string): void {
  const { raw } = reply
  reply.hijack()
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  raw.write(opening)
}
