/** The file outside: age (https://age-encryption.org/v1), by the library of its author, in streams. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { Decrypter, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { ChanopError } from '../../core/error.ts'

/** With what a backup is locked: for the holder of a key, or by words. */
export type Lock = { readonly recipient: string } | { readonly passphrase: string }

/** With what it is opened. */
export type Opener = { readonly identities: readonly string[] } | { readonly passphrase: string }

export interface Sealed {
  readonly sizeBytes: number
  readonly sha256: string
  /** Opens this file as long as somebody keeps it; for the trial. */
  readonly opener: Opener
}

/** Writes what comes, encrypted, into a new file that is on the disk when this resolves. Throws `usage` for a wrong recipient. */
export async function seal(plain: AsyncIterable<Uint8Array>, path: string, lock: Lock): Promise<Sealed> {
  const { encrypter, opener } = await locked(lock)
  const encrypted = await encrypter.encrypt(Readable.toWeb(Readable.from(plain)) as ReadableStream<Uint8Array>)
  await using file = await open(path, 'wx', 0o600)
  return { ...(await pour(encrypted, file)), opener }
}

async function pour(from: AsyncIterable<Uint8Array>, file: FileHandle): Promise<Omit<Sealed, 'opener'>> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const piece of from) {
    hash.update(piece)
    sizeBytes += piece.length
    await file.writeFile(piece)
  }
  await file.sync()
  return { sizeBytes, sha256: hash.digest('hex') }
}

/**
 * Who has only the public key can not open what was locked with it. A second key, which lives in this process and ends with
 * it, is let in too: with it the file is opened on trial.
 */
async function locked(lock: Lock): Promise<{ encrypter: Encrypter; opener: Opener }> {
  const encrypter = new Encrypter()
  if ('passphrase' in lock) {
    encrypter.setPassphrase(lock.passphrase)
    return { encrypter, opener: lock }
  }
  try {
    encrypter.addRecipient(lock.recipient)
  } catch (cause) {
    const message = `${lock.recipient.slice(0, 40)} is no public key of age: it begins with age1, and age-keygen shows it`
    throw new ChanopError('usage', message, { cause })
  }
  const trial = await generateIdentity()
  encrypter.addRecipient(await identityToRecipient(trial))
  return { encrypter, opener: { identities: [trial] } }
}

/** What is in the file. Throws `usage` in words: another passphrase or key, no backup, or one that was cut off or changed. */
export async function* unseal(path: string, opener: Opener): AsyncGenerator<Uint8Array> {
  const decrypter = new Decrypter()
  try {
    if ('passphrase' in opener) decrypter.addPassphrase(opener.passphrase)
    else for (const identity of opener.identities) decrypter.addIdentity(identity)
  } catch (cause) {
    throw new ChanopError('usage', 'that is no key of age: its line begins with AGE-SECRET-KEY-', { cause })
  }
  const source = createReadStream(path)
  try {
    yield* await decrypter.decrypt(Readable.toWeb(source) as ReadableStream<Uint8Array>)
  } catch (cause) {
    throw asFault(cause, path, opener)
  } finally {
    source.destroy()
  }
}

function asFault(thrown: unknown, path: string, opener: Opener): unknown {
  const { code, message } = thrown as NodeJS.ErrnoException
  if (code === 'ENOENT') return new ChanopError('not-found', `there is no file ${path}`, { cause: thrown })
  if (typeof code === 'string') return thrown
  if (/no identity matched/.test(message)) {
    const other =
      'passphrase' in opener ? 'another passphrase, or for a key (--identity FILE)' : 'another key, or by a passphrase'
    return new ChanopError('usage', `${path} is locked with ${other}: nothing was changed`, { cause: thrown })
  }
  if (/invalid version line/.test(message))
    return new ChanopError('usage', `${path} is no backup: it is not encrypted with age`, { cause: thrown })
  const damaged = `${path} is damaged or was cut off: take another copy of it; nothing was changed`
  return new ChanopError('usage', damaged, { cause: thrown })
}
