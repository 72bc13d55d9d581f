import { Reader, type ReaderOptions } from '../../core/command/visit/reading.ts'
import { type MessageEvent, text } from '../../core/event.ts'
import type { Stored } from '../../core/ledger/record/events.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import { talkers } from '../../core/process/bots.ts'

/** What a message is besides talk. */
export interface Verdict {
  /** It asks a bot to do something: no search shall find itself. */
  readonly command: boolean
  /** The words that may be kept, when it holds a secret. */
  readonly masked: string | null
}

const talk: Verdict = { command: false, masked: null }

/**
 * Tells commands from talk, with the ears that the bots have. Whoever owns a command with a secret in it wipes it from
 * the ledger when they answer; what reads the ledger before that must not keep the secret either.
 */
export class Ear {
  readonly #reader: Reader

  constructor(options: ReaderOptions) {
    this.#reader = new Reader(options)
  }

  hear(ledger: Tx, event: MessageEvent): Verdict {
    if (event.sender.kind === 'self') return { command: event.sender.name === 'scribe', masked: null }
    const heard = this.#reader.hear(event)
    if (!heard) return talk
    const { found, assigned } = this.#reader.read(ledger, heard)
    if (found.is !== 'command') return { command: heard.prefixed && found.is === 'family', masked: null }
    const secret = assigned?.secret === true
    const told = event.content.style !== undefined
    const chat = !heard.prefixed && heard.to !== null && talkers.includes(heard.to)
    return {
      command: (!chat && !told && !heard.behindName) || secret,
      masked: secret ? `${found.command.name} ${assigned?.masked}` : null,
    }
  }

  /** The fact as it may be kept. */
  keepable(ledger: Tx, stored: Stored): Stored {
    if (stored.event.kind !== 'message') return stored
    const { masked } = this.hear(ledger, stored.event)
    return masked === null ? stored : { ...stored, event: { ...stored.event, content: text(masked) } }
  }
}
