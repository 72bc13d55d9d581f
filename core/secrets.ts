import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { ChanopError } from './error.ts'
import { getMeta, type Ledger, setMeta } from './ledger/ledger.ts'
import { keepSealed, listSecrets, sealedNamed } from './ledger/secrets.ts'
import type { Tx } from './ledger/tx.ts'

const format = 1
const headBytes = 1 + 4 + 12 + 16

/**
 * Seals values with AES-256-GCM (NIST SP 800-38D) under a key that lives in a file apart from the ledger.
 * A box is: format (1 byte) · key id (4) · nonce (12, random) · tag (16) · ciphertext; its name is authenticated too.
 */
export class Vault {
  readonly #key: Buffer | null
  readonly #keyId: Buffer
  /** Why nothing can be opened or sealed; null when all is well. */
  readonly locked: string | null

  private constructor(key: Buffer | null, locked: string | null) {
    this.#key = key
    this.#keyId = key ? idOf(key) : Buffer.alloc(4)
    this.locked = locked
  }

  /**
   * Reads the key file, or makes it when the ledger was never sealed with one. When the key is missing or another one,
   * the vault opens locked: nothing is overwritten and everything else goes on.
   */
  static async open(keyFile: string, ledger: Ledger): Promise<Vault> {
    return ledger.write(db => {
      const known = getMeta(db, 'vault_key')
      if (!existsSync(keyFile)) {
        if (known) return new Vault(null, `the key file ${keyFile} is missing: put it back, nothing was overwritten`)
        makeKey(keyFile)
      }
      const key = Buffer.from(readFileSync(keyFile, 'utf8').trim(), 'base64')
      if (key.length !== 32) return new Vault(null, `${keyFile} holds no 32-byte key: put the right one back`)
      const id = idOf(key).toString('hex')
      if (known && known !== id) return new Vault(null, `${keyFile} is another key than the one in use: put that back`)
      if (!known) setMeta(db, 'vault_key', id)
      return new Vault(key, null)
    })
  }

  /** Seals `value` for `name`. Throws `vault-locked`. */
  seal(name: string, value: string): Buffer {
    const key = this.#unlocked()
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name))
    const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()])
    return Buffer.concat([Buffer.from([format]), this.#keyId, nonce, cipher.getAuthTag(), sealed])
  }

  /** Opens a box sealed for `name`. Throws `vault-locked` when it was changed or sealed with another key. */
  open(name: string, box: Buffer): string {
    const key = this.#unlocked()
    if (box.length < headBytes || box[0] !== format || !box.subarray(1, 5).equals(this.#keyId)) {
      throw new ChanopError('vault-locked', `the secret ${name} was sealed with another key: put that key back`)
    }
    const cipher = createDecipheriv('aes-256-gcm', key, box.subarray(5, 17)).setAAD(Buffer.from(name))
    cipher.setAuthTag(box.subarray(17, 33))
    try {
      return cipher.update(box.subarray(headBytes), undefined, 'utf8') + cipher.final('utf8')
    } catch (error) {
      throw new ChanopError('vault-locked', `the secret ${name} was changed on the disk: set it anew`, { cause: error })
    }
  }

  #unlocked(): Buffer {
    if (!this.#key) throw new ChanopError('vault-locked', this.locked ?? 'the vault is locked')
    return this.#key
  }
}

/** A new key, whole and on the disk before anything is sealed with it. Never replaces a file that is there. */
function makeKey(keyFile: string): void {
  mkdirSync(dirname(keyFile), { recursive: true, mode: 0o700 })
  const draft = `${keyFile}.${process.pid}.new`
  writeFileSync(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flush: true })
  linkSync(draft, keyFile)
  unlinkSync(draft)
  const folder = openSync(dirname(keyFile), 'r')
  fsyncSync(folder)
  closeSync(folder)
}

/**
 * 192 random bits: more than anybody can try, and 32 letters keep a login in one short line. In letters that every account
 * service takes. Never a `-` first: a client's command line would take it for an option (irssi's `/network add -sasl_password`).
 */
export const newPassword = (): string => randomBytes(24).toString('base64url').replace(/^-/, '_')

const idOf = (key: Buffer): Buffer => createHash('sha256').update('chanop vault').update(key).digest().subarray(0, 4)

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
