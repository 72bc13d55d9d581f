/** Tells other programs what happens in rooms: each thing at least once, in order, for each webhook by itself. */

import { addAbortListener } from 'node:events'
import { currentAfter } from '../../../core/ledger/record/history.ts'
import {
  advanceHook,
  buryLetter,
  failHook,
  type HookEvent,
  type HookOut,
  hookOut,
  hooksOut,
} from '../../../core/ledger/settings/hooks.ts'
import type { Log } from '../../../core/log.ts'
import type { Interior } from '../../../core/process/interior.ts'
import { backoffMs, sleep } from '../../../core/retry.ts'
import { Fact } from '../stream/fact.ts'
import { post } from './post.ts'

export interface OutgoingOptions {
  readonly interior: Interior
  readonly network: string
  readonly log: Log
  readonly backoff?: { readonly firstMs: number; readonly maxMs: number }
}

const usual = { firstMs: 1000, maxMs: 600_000 }
const page = 100
/** What can't be delivered for so long is given up: a dead letter, and the next one is sent. */
const givenUpMs = 24 * 3_600_000
/** What will be refused again is tried this often: a receiver that is being set up says anything. */
const finalTries = 3

/** The webhooks of one network. Each is served by a loop of its own: one that hangs holds up no other. */
export class Outgoing {
  readonly #o: OutgoingOptions
  readonly #served = new Map<string, Promise<void>>()
  readonly #wakes = new Map<string, () => void>()

  constructor(options: OutgoingOptions) {
    this.#o = options
  }

  /** The ledger has grown, or it is time to look. */
  look(signal: AbortSignal): void {
    if (signal.aborted) return
    const { interior, network } = this.#o
    for (const wake of this.#wakes.values()) wake()
    for (const { name, network: of } of interior.ledger.readNow(hooksOut)) {
      if (of !== network || this.#served.has(name)) continue
      const serving = this.#serve(name, signal)
        .catch((error: unknown) => this.#o.log.error({ error, hook: name }, 'a webhook stopped; it is begun again'))
        .finally(() => this.#served.delete(name))
      this.#served.set(name, serving)
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.#served.values())
  }

  /** Until it is deleted or `signal` aborts. */
  async #serve(name: string, signal: AbortSignal): Promise<void> {
    const { ledger } = this.#o.interior
    using _end = addAbortListener(signal, () => this.#wakes.get(name)?.())
    try {
      while (!signal.aborted) {
        const woken = new Promise<void>(resolve => this.#wakes.set(name, resolve))
        const hook = ledger.readNow(tx => hookOut(tx, name))
        if (!hook) return
        if (!(await this.#page(hook, signal))) await woken
      }
    } finally {
      this.#wakes.delete(name)
    }
  }

  /** False: there is nothing more to be sent. */
  async #page(hook: HookOut, signal: AbortSignal): Promise<boolean> {
    const { ledger, rooms } = this.#o.interior
    const facts = ledger.readNow(tx => currentAfter(tx, hook.cursor, ledger.keptSeq(), page))
    const last = facts.at(-1)
    if (!last) return false
    const room = rooms.meant(hook.room)?.name ?? hook.room
    let from = hook.cursor
    for (const stored of facts) {
      const wanted = stored.room === room && hook.events.includes(stored.event.kind as HookEvent)
      if (!wanted || stored.event.place.private) continue
      if (!(await this.#send({ name: hook.name, from }, stored.seq, signal))) return true
      from = stored.seq
    }
    if (from < last.seq) ledger.mark(tx => advanceHook(tx, hook.name, { from, to: last.seq }))
    return true
  }

  /** Until it has arrived or was given up. False: the webhook is gone, or was changed meanwhile. */
  async #send({ name, from }: { name: string; from: number }, seq: number, signal: AbortSignal): Promise<boolean> {
    const { interior, log, backoff = usual } = this.#o
    const { ledger, vault } = interior
    let refusals = 0
    for (let attempt = 1; !signal.aborted; attempt++) {
      // As it reads at this moment: what is deleted while it waits goes to nobody.
      const [hook, stored] = ledger.readNow(tx => [hookOut(tx, name), currentAfter(tx, seq - 1, seq, 1)[0]])
      if (hook?.cursor !== from || !stored) return false
      const secret = vault.open(`hook:${name}`, hook.secret)
      const { json: body } = new Fact(stored)
      const { fault, final, afterMs } = await post(hook, { id: `${name}-${seq}`, body, secret }, signal)
      if (signal.aborted) return false
      if (fault === null) {
        ledger.mark(tx => advanceHook(tx, name, { from, to: seq }))
        return true
      }
      const atMs = Date.now()
      log.info({ hook: name, seq, attempt, fault }, 'a webhook did not arrive')
      await ledger.write(tx => failHook(tx, name, fault, atMs))
      const sinceMs = hook.failingMs ?? atMs
      if (final) refusals++
      if (refusals >= finalTries || atMs - sinceMs > givenUpMs) {
        await ledger.write(tx => buryLetter(tx, { hook: name, seq, fault, atMs }, from))
        return true
      }
      await sleep(Math.max(afterMs ?? 0, backoffMs(backoff, attempt - 1)), signal)
    }
    return false
  }
}
