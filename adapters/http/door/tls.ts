import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { ChanopError } from '../../../core/error.ts'
import type { HttpConfig } from '../config.ts'

type Files = NonNullable<HttpConfig['tls']>

/** A certificate and its key, as a server takes them. */
export interface Pair {
  readonly options: SecureContextOptions
  readonly endsMs: number
}

const lookEveryMs = 1000

const fault = (reason: string, cause?: unknown): ChanopError => new ChanopError('config-invalid', reason, { cause })

function pem(file: string, what: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw fault(`${what} ${file} can not be read (${(error as NodeJS.ErrnoException).code})`, error)
  }
}

/** Throws `config-invalid`, with a line that names the file, for what is no certificate or not with its key. */
export function readPair({ certificate, key }: Files): Pair {
  const options = {
    cert: pem(certificate, 'tls.certificate'),
    key: pem(key, 'tls.key'),
    minVersion: 'TLSv1.2' as const,
  }
  try {
    createSecureContext({ cert: options.cert })
  } catch (error) {
    throw fault(`tls.certificate ${certificate} holds no certificate in PEM`, error)
  }
  try {
    createSecureContext(options)
  } catch (error) {
    throw fault(`tls.key ${key} is not the key of ${certificate}, or none in PEM without a passphrase`, error)
  }
  return { options, endsMs: Date.parse(new X509Certificate(options.cert).validTo) }
}

/** Which files those are now; followed through links, as ACME clients swap these. */
function marks({ certificate, key }: Files): string {
  try {
    return [certificate, key]
      .map(file => statSync(file))
      .map(({ dev, ino, mtimeMs, size }) => `${dev} ${ino} ${mtimeMs} ${size}`)
      .join('\n')
  } catch (error) {
    return `${(error as NodeJS.ErrnoException).code}`
  }
}

export interface Renewing {
  /** New connections are to have this pair. */
  readonly renewed: (pair: Pair) => void
  /** What is wrong with the files, in one line; null: nothing any more. */
  readonly said: (trouble: string | null) => void
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/**
 * Looks whether the files of a pair changed and hands a new one over; what can't be used is left, said, and looked at
 * again. A certificate and its key are written one after the other: a pair is bad when it still is at the second look.
 */
export class Renewal {
  readonly #files: Files
  readonly #hooks: Renewing
  #pair: Pair
  #seen: string
  #suspect: string | null = null
  #trouble: string | null = null

  constructor(files: Files, pair: Pair, hooks: Renewing) {
    this.#files = files
    this.#pair = pair
    this.#hooks = hooks
    this.#seen = marks(files)
  }

  /** Looks once a second until `signal` aborts. */
  run(signal: AbortSignal): void {
    const timer = setInterval(() => this.look(Date.now()), lookEveryMs)
    timer.unref()
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  }

  look(nowMs: number): void {
    const reason = this.#reason(nowMs)
    if (reason !== null && reason !== this.#suspect) {
      this.#suspect = reason
      return
    }
    this.#suspect = reason
    if (reason === this.#trouble) return
    this.#trouble = reason
    this.#hooks.said(reason)
  }

  #reason(nowMs: number): string | null {
    const now = marks(this.#files)
    if (now !== this.#seen || this.#suspect !== null) {
      try {
        this.#take(now, nowMs)
      } catch (error) {
        return `the certificate from before stays: ${(error as Error).message}`
      }
    }
    return this.#pair.endsMs > nowMs ? null : `the certificate ended on ${day(this.#pair.endsMs)}`
  }

  /** What is seen before it is read is seen again when it changed meanwhile. */
  #take(seen: string, nowMs: number): void {
    const pair = readPair(this.#files)
    if (pair.endsMs <= nowMs) throw fault(`${this.#files.certificate} ended on ${day(pair.endsMs)}`)
    this.#seen = seen
    this.#pair = pair
    this.#hooks.renewed(pair)
  }
}
