import type { FastifyReply, FastifyRequest } from 'fastify'
import { dropCompletion, type Ending, stopCompletion } from '../../../core/ledger/oracle/completions.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { gone, holderOf, idempotencyKeyOf } from '../command.ts'
import type { House } from '../house.ts'
import { writeLater } from '../notes.ts'
import { Problem } from '../problem.ts'
import { follow, giveUp, problemOf } from './answer.ts'
import type { Asking } from './ask.ts'
import type { Form } from './form.ts'

/** A client sees that somebody works on it. */
const aliveMs = 10_000

export interface Work<F extends Form = Form> {
  readonly asking: Asking
  readonly form: F
  readonly signal: AbortSignal
}

/** Nobody reads on: nothing goes on either, and nothing is left but what may be asked for again. */
function endReading(tx: Tx, key: string, isKept: boolean): void {
  stopCompletion(tx, key, Date.now())
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
  const left = gone(house, request, reply)
  try {
    return await work(AbortSignal.any([left, house.closing]))
  } finally {
    if (left.aborted) await giveUp(house.interior, asking, holderOf(request))
    const isKept = idempotencyKeyOf(request) !== undefined
    if (asking.seq === null) writeLater(house, tx => endReading(tx, asking.key, isKept))
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
