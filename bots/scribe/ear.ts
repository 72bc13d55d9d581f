import { talkers } from '../../core/bots.ts'
import { assign } from '../../core/command/parse/args.ts'
import { hear, spoken } from '../../core/command/parse/grammar.ts'
import { resolve } from '../../core/command/parse/suggest.ts'
import { Catalogue } from '../../core/command/published.ts'
import { type MessageEvent, text } from '../../core/event.ts'
import type { Stored } from '../../core/ledger/events.ts'
import type { Tx } from '../../core/ledger/tx.ts'

/** What a message is besides talk. */
export interface Heard {
  /** It asks a bot to do something: no search shall find itself. */
  readonly command: boolean
  /** The words that may be kept, when it holds a secret. */
  readonly masked: string | null
}

const talk: Heard = { command: false, masked: null }

/**
 * Tells commands from talk, with the ears that the bots have. Whoever owns a command with a secret in it wipes it from
 * the ledger when they answer; what reads the ledger before that must not keep the secret either.
 */
export class Ear {
  readonly #prefix: () => string
  readonly #bots: ReadonlyMap<string, string>
  readonly #catalogue = new Catalogue()

  constructor(prefix: () => string, bots: readonly string[]) {
    this.#prefix = prefix
    this.#bots = new Map(bots.map(name => [name.toLowerCase(), name]))
  }

  hear(ledger: Tx, event: MessageEvent): Heard {
    if (event.sender.kind === 'self') return { command: event.sender.name === 'scribe', masked: null }
    const heard = hear(spoken(event.content), {
      prefix: this.#prefix(),
      bots: this.#bots,
      direct: event.place.private === true,
      to: event.to ?? null,
    })
    if (!heard) return talk
    const found = resolve(this.#catalogue.refresh(ledger), heard.line, heard.addressed)
    if (found.is !== 'command') return { command: heard.prefixed && found.is === 'family', masked: null }
    const { masked, secret } = assign(found.command.fields, found.rest)
    const chat = !heard.prefixed && heard.to !== null && talkers.includes(heard.to)
    return {
      command: (!chat && !heard.behindName) || secret,
      masked: secret ? `${found.command.name} ${masked}` : null,
    }
  }

  /** The fact as it may be kept. */
  keepable(ledger: Tx, stored: Stored): Stored {
    if (stored.event.kind !== 'message') return stored
    const { masked } = this.hear(ledger, stored.event)
    return masked === null ? stored : { ...stored, event: { ...stored.event, content: text(masked) } }
  }
}
