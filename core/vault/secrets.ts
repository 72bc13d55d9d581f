import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { ChanopError } from '../error.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { getMeta, setMeta } from '../ledger/meta.ts'
import { type Box, boxes } from '../ledger/record/boxes.ts'
import { keepSealed, listSecrets, sealedNamed } from '../ledger/settings/secrets.ts'
import type { Tx } from '../ledger/tx.ts'
import { addKey, dropOldKeys, makeKeyFile, readKeys, stampOf, type VaultKey, writtenMs } from './vault-keys.ts'

const format = 1
const headBytes = 1 + 4 + 12 + 16

/** How long an old key is kept: what another process was sealing with it is written by then. */
const oldKeyMs = 60_000

interface VaultParts {
  readonly keyFile: string
  /** The id of the key that the ledger names. */
  readonly known: () => string | null
  /** Newest first. */
  readonly keys: readonly VaultKey[]
  readonly locked: string | null
}

/**
 * Seals values with AES-256-GCM (NIST SP 800-38D) under a key that lives in a file apart from the ledger.
 * A box is: format (1 byte) · key id (4) · nonce (12, random) · tag (16) · ciphertext; its name is authenticated too. While the
 * key is being changed the file has two: each box names its own, and what is sealed is sealed with the new one.
 */
export class Vault {
  readonly #keyFile: string
  readonly #known: VaultParts['known']
  #keys: readonly VaultKey[]
  #stamp: string
  /** Why nothing can be opened or sealed; null when all is well. */
  readonly locked: string | null

  private constructor({ keyFile, known, keys, locked }: VaultParts) {
    this.#keyFile = keyFile
    this.#known = known
    this.#keys = keys
    this.#stamp = stampOf(keyFile)
    this.locked = locked
  }

  /**
   * Reads the key file, or makes it when the ledger was never sealed with one. When the key is missing or another one,
   * the vault opens locked: nothing is overwritten and everything else goes on.
   */
  static async open(keyFile: string, ledger: Ledger): Promise<Vault> {
    return ledger.write(db => {
      const followed = (): string | null => ledger.readNow(tx => getMeta(tx, 'vault_key'))
      const lock = (why: string): Vault => new Vault({ keyFile, known: followed, keys: [], locked: why })
      const known = getMeta(db, 'vault_key')
      if (!existsSync(keyFile)) {
        if (known) return lock(`the key file ${keyFile} is missing: put it back, nothing was overwritten`)
        makeKeyFile(keyFile)
      }
      const keys = readKeys(keyFile)
      if (!keys?.[0]) return lock(`${keyFile} holds no 32-byte key: put the right one back`)
      if (known && !keys.some(({ id }) => id === known))
        return lock(`${keyFile} is another key than the one in use: put that back`)
      if (!known) setMeta(db, 'vault_key', keys[0].id)
      return new Vault({ keyFile, known: followed, keys, locked: null })
    })
  }

  /** Seals `value` for `name`. Throws `vault-locked`. */
  seal(name: string, value: string): Buffer {
    this.#follow()
    const { id, key } = this.#current()
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name))
    const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()])
    return Buffer.concat([Buffer.from([format]), Buffer.from(id, 'hex'), nonce, cipher.getAuthTag(), sealed])
  }

  /** Opens a box sealed for `name`. Throws `vault-locked` when it was changed or sealed with another key. */
  open(name: string, box: Buffer): string {
    this.#current()
    if (!this.#keyOf(box)) this.#follow()
    const found = this.#keyOf(box)
    if (!found)
      throw new ChanopError('vault-locked', `the secret ${name} was sealed with another key: put that key back`)
    const decipher = createDecipheriv('aes-256-gcm', found.key, box.subarray(5, 17)).setAAD(Buffer.from(name))
    decipher.setAuthTag(box.subarray(17, 33))
    try {
      return decipher.update(box.subarray(headBytes), undefined, 'utf8') + decipher.final('utf8')
    } catch (error) {
      throw new ChanopError('vault-locked', `the secret ${name} was changed on the disk: set it anew`, { cause: error })
    }
  }

  /** Whether the key is being changed: the file still has the old one. */
  get changing(): boolean {
    this.#follow()
    return this.#keys.length > 1
  }

  /** The first step of a change: from now on a new key seals. Where one is under way it goes on with that. Throws `vault-locked`. */
  beginChange(): void {
    this.#current()
    addKey(this.#keyFile)
    this.#follow()
  }

  /** The second: seals everything anew, in the caller's transaction. Returns what could not be opened. Harmless when repeated. */
  sealAnew(tx: Tx): { readonly count: number; readonly damaged: readonly string[] } {
    const { id } = this.#current()
    const old = boxes(tx).filter(box => box.sealed.subarray(1, 5).toString('hex') !== id)
    const damaged = old.filter(box => !this.#sealBox(box)).map(({ name }) => name)
    setMeta(tx, 'vault_key', id)
    return { count: old.length - damaged.length, damaged }
  }

  /** The last, by whoever comes by: the old key goes once nobody can be sealing with it. True when it did. */
  async endChange(ledger: Ledger, nowMs = Date.now()): Promise<boolean> {
    if (this.locked !== null || !this.changing) return false
    await ledger.write(db => this.sealAnew(db))
    if (nowMs - writtenMs(this.#keyFile) < oldKeyMs) return false
    dropOldKeys(this.#keyFile)
    this.#follow()
    return true
  }

  #sealBox({ name, sealed, replace }: Box): boolean {
    try {
      replace(this.seal(name, this.open(name, sealed)))
      return true
    } catch (error) {
      if (error instanceof ChanopError && error.code === 'vault-locked') return false
      throw error
    }
  }

  #keyOf(box: Buffer): VaultKey | undefined {
    if (box.length < headBytes || box[0] !== format) return undefined
    const id = box.subarray(1, 5).toString('hex')
    return this.#keys.find(key => key.id === id)
  }

  /** Another process may have changed the key. With a file that is not the ledger's what we know goes on to serve. */
  #follow(): void {
    const stamp = stampOf(this.#keyFile)
    if (stamp === this.#stamp || stamp === '' || this.locked !== null) return
    const keys = readKeys(this.#keyFile)
    const known = this.#known()
    if (!keys?.some(({ id }) => id === known)) return
    this.#keys = keys
    this.#stamp = stamp
  }

  #current(): VaultKey {
    const [current] = this.#keys
    if (!current) throw new ChanopError('vault-locked', this.locked ?? 'the vault is locked')
    return current
  }
}

export const secretName = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/

export function storeSecret(tx: Tx, vault: Vault, name: string, value: string, by: string, nowMs: number): void {
  keepSealed(tx, name, vault.seal(`secret:${name}`, value), by, nowMs)
}

/** Names of the secrets that were changed on the disk, or sealed with another key. */
export function damagedSecrets(tx: Tx, vault: Vault): string[] {
  const opens = (name: string): boolean => {
    try {
      vault.open(`secret:${name}`, sealedNamed(tx, name) as Buffer)
      return true
    } catch (error) {
      if (error instanceof ChanopError) return false
      throw error
    }
  }
  return listSecrets(tx)
    .map(({ name }) => name)
    .filter(name => !opens(name))
}

/** Each reference (`env:NAME`, `secret:NAME`) that settings hold, once. */
export const referencesIn = (settings: unknown): string[] => [
  ...new Set([...JSON.stringify(settings).matchAll(/"((?:env|secret):[^"]+)"/g)].map(([, name]) => name as string)),
]

/** Resolves `env:NAME` (from `environment`) or `secret:NAME` (from the vault). Throws `secret-missing` with the fix. */
export function resolveSecret(
  tx: Tx,
  vault: Vault,
  reference: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const name = reference.slice(reference.indexOf(':') + 1)
  if (reference.startsWith('env:')) {
    const value = environment[name]
    if (value) return value
    throw new ChanopError('secret-missing', `${name} is not set: export ${name}=… and run npm start again`)
  }
  const sealed = sealedNamed(tx, name)
  if (!sealed) throw new ChanopError('secret-missing', `no secret ${name}: say !secret set ${name} in a DM to admin`)
  return vault.open(`secret:${name}`, sealed)
}
