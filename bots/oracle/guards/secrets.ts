import { asChanopError } from '../../../core/error.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { listSecrets } from '../../../core/ledger/settings/secrets.ts'
import { hiddenKey, maskKeys } from '../../../core/vault/key-shapes.ts'

/** Shorter values are words: `admin` as a password would tear every text apart. */
const shortest = 8

/** Puts `[secret]` in the place of what is known to be one or looks like one. */
export function maskSecrets(text: string, known: readonly string[]): string {
  let masked = text
  for (const value of known) if (masked.includes(value)) masked = masked.replaceAll(value, hiddenKey)
  return maskKeys(masked)
}

/** Characters of what is remembered: a prompt may be megabytes. */
const mostRemembered = 4_000_000

/** The same for texts that come again and again: the lines of a conversation are in each prompt of it. */
export class Masker {
  readonly #known: readonly string[]
  readonly #done = new Map<string, string>()
  #chars = 0

  constructor(known: readonly string[]) {
    this.#known = known
  }

  mask(text: string): string {
    const before = this.#done.get(text)
    if (before !== undefined) return before
    const masked = maskSecrets(text, this.#known)
    if (text.length > mostRemembered / 4) return masked
    this.#chars += text.length
    if (this.#chars > mostRemembered) {
      this.#done.clear()
      this.#chars = text.length
    }
    this.#done.set(text, masked)
    return masked
  }
}

/** Values that must never be said or sent: all of the vault, and the models' own keys. */
export class KnownSecrets {
  readonly #ledger: Ledger
  readonly #resolve: (reference: string) => Promise<string>
  #mark = ''
  #values: readonly string[] = []
  #masker = new Masker([])

  constructor(ledger: Ledger, resolve: (reference: string) => Promise<string>) {
    this.#ledger = ledger
    this.#resolve = resolve
  }

  /** The longest first, so that one that holds another is hidden as a whole. `references`: further ones. */
  async values(references: readonly string[]): Promise<readonly string[]> {
    const sealed = await this.#ledger.read(listSecrets)
    const mark = JSON.stringify([sealed, references])
    if (mark === this.#mark) return this.#values
    const all = [...sealed.map(({ name }) => `secret:${name}`), ...references]
    const values = await Promise.all(all.map(reference => this.#valueOf(reference)))
    const usable = [...new Set(values.filter(value => value !== null && value.length >= shortest))] as string[]
    this.#values = usable.sort((a, b) => b.length - a.length)
    this.#mark = mark
    this.#masker = new Masker(this.#values)
    return this.#values
  }

  /** By the values that were asked for last. */
  mask(text: string): string {
    return this.#masker.mask(text)
  }

  /** Null: it is not there, or the vault is locked: then nobody has its value. */
  async #valueOf(reference: string): Promise<string | null> {
    try {
      return (await this.#resolve(reference)).trim()
    } catch (error) {
      if (['secret-missing', 'vault-locked'].includes(asChanopError(error).code)) return null
      throw error
    }
  }
}
