import type { MessageEvent } from '../../event.ts'
import type { Tx } from '../../ledger/tx.ts'
import { Catalogue } from '../help/published.ts'
import { type Assigned, assign, assignGiven } from '../parse/args.ts'
import { hear, spoken, type Utterance } from '../parse/grammar.ts'
import { type Resolved, resolve } from '../parse/suggest.ts'

/** What a message asks, read once: whoever needs to know takes it from here. */
export type Reading =
  | { readonly heard: Utterance; readonly found: Extract<Resolved, { is: 'command' }>; readonly assigned: Assigned }
  | { readonly heard: Utterance; readonly found: Exclude<Resolved, { is: 'command' }>; readonly assigned: null }

export interface ReaderOptions {
  readonly prefix: () => string
  readonly bots: readonly string[]
}

/** Reads what messages ask: said as text, or asked by name with arguments. */
export class Reader {
  readonly catalogue = new Catalogue()
  readonly #prefix: () => string
  readonly #bots: ReadonlyMap<string, string>

  constructor({ prefix, bots }: ReaderOptions) {
    this.#prefix = prefix
    this.#bots = new Map(bots.map(name => [name.toLowerCase(), name]))
  }

  get prefix(): string {
    return this.#prefix()
  }

  /** Whether a message has the shape of a command, for whomever: what has not is talk. Pure, no ledger needed. */
  hear({ asked, content, place, sender, masked, standalone, ...event }: MessageEvent): Utterance | null {
    if (sender.kind === 'self' || masked || standalone) return null
    const to = event.to ?? null
    if (asked) {
      const line = asked.name.trim().replace(/\s+/g, ' ')
      return { line, to, prefixed: true, addressed: true, given: asked.args }
    }
    const [first, ...rest] = content.segments
    // By the name of the one account that speaks for all bots: to whichever of them it is for.
    const called = first?.kind === 'mention' && first.self === true
    const words = called ? spoken({ segments: rest }).replace(/^[:,]\s*/, '') : spoken(content)
    const direct = called || place.private === true
    return hear(words, { prefix: this.#prefix(), bots: this.#bots, direct, to: called ? null : to })
  }

  /** The command it begins with, and its arguments. */
  read(db: Tx, heard: Utterance): Reading {
    const { line, addressed, given } = heard
    const found = resolve(this.catalogue.refresh(db), line, addressed && given === undefined)
    if (found.is !== 'command') return { heard, found, assigned: null }
    const { fields } = found.command
    return { heard, found, assigned: given ? assignGiven(fields, given) : assign(fields, found.rest) }
  }
}
