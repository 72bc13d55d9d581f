/**
 * Passwords and certificates of a managed Ergo's accounts, in a file of our own: Ergo's accounts have none themselves. So
 * their holders can not change them by Ergo's commands, and no login goes by without being counted.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { ChanopError } from '../../../core/error.ts'
import { readIfThere, writeWhole } from '../../../core/files.ts'

const entrySchema = z.strictObject({
  salt: z.string().optional(),
  hash: z.string().optional(),
  certificates: z.array(z.string()).default([]),
})
const fileSchema = z.strictObject({ version: z.literal(1), accounts: z.record(z.string(), entrySchema) })

type Entry = z.output<typeof entrySchema>

export const credentialsPath = (ergo: string): string => join(ergo, 'logins.json')

/** Passwords are 192 random bits: a hash that is quick to make is enough, and lets 500 agents in at once. */
const cost = { N: 1024, r: 8, p: 1 }

const derive = (password: string, salt: string): Promise<Buffer> =>
  new Promise((done, fail) => {
    scrypt(password, salt, 32, cost, (error, key) => (error ? fail(error) : done(key)))
  })

export class Credentials {
  readonly #path: string
  readonly #accounts: Map<string, Entry>
  #saving: Promise<void> = Promise.resolve()
  /** Waits for its turn. */
  #next: Promise<void> | null = null

  private constructor(path: string, accounts: Map<string, Entry>) {
    this.#path = path
    this.#accounts = accounts
  }

  /** An unreadable file is never taken for an empty one: the passwords are nowhere else. */
  static async open(path: string): Promise<Credentials> {
    const text = await readIfThere(path)
    if (text === null) return new Credentials(path, new Map())
    try {
      return new Credentials(path, new Map(Object.entries(fileSchema.parse(JSON.parse(text)).accounts)))
    } catch (cause) {
      throw new ChanopError('config-invalid', `${path} is damaged: restore it from a backup`, { cause })
    }
  }

  has(account: string): boolean {
    return this.#accounts.get(account.toLowerCase())?.hash !== undefined
  }

  async opens(account: string, password: string): Promise<boolean> {
    const { salt, hash } = this.#accounts.get(account.toLowerCase()) ?? {}
    if (salt === undefined || hash === undefined) return false
    return timingSafeEqual(await derive(password, salt), Buffer.from(hash, 'base64'))
  }

  /** The account that a certificate opens, lower case. */
  ownerOf(fingerprint: string): string | null {
    for (const [account, { certificates }] of this.#accounts) if (certificates.includes(fingerprint)) return account
    return null
  }

  certificates(account: string): readonly string[] {
    return this.#accounts.get(account.toLowerCase())?.certificates ?? []
  }

  async setPassword(account: string, password: string): Promise<void> {
    const salt = randomBytes(16).toString('base64')
    const hash = (await derive(password, salt)).toString('base64')
    await this.#change(account, entry => ({ ...entry, salt, hash }))
  }

  addCertificate(account: string, fingerprint: string): Promise<void> {
    return this.#change(account, entry => ({
      ...entry,
      certificates: [...new Set([...entry.certificates, fingerprint])],
    }))
  }

  removeCertificate(account: string, fingerprint: string): Promise<void> {
    return this.#change(account, entry => ({
      ...entry,
      certificates: entry.certificates.filter(other => other !== fingerprint),
    }))
  }

  drop(account: string): Promise<void> {
    this.#accounts.delete(account.toLowerCase())
    return this.#save()
  }

  #change(account: string, change: (entry: Entry) => Entry): Promise<void> {
    const name = account.toLowerCase()
    this.#accounts.set(name, change(this.#accounts.get(name) ?? { certificates: [] }))
    return this.#save()
  }

  /** On disk when this resolves; what changes before a write begins is in it. */
  #save(): Promise<void> {
    if (this.#next) return this.#next
    const saving = this.#saving
      .catch(() => undefined)
      .then(() => {
        this.#next = null
        return writeWhole(this.#path, this.#text)
      })
    this.#next = saving
    this.#saving = saving
    return saving
  }

  get #text(): string {
    return `${JSON.stringify({ version: 1, accounts: Object.fromEntries(this.#accounts) })}\n`
  }
}
