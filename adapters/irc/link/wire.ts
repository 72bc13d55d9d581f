import { isUtf8 } from 'node:buffer'
import type { X509Certificate } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { hop } from '../../../core/trace.ts'

/** Where a server listens. `path` is a unix socket and wins over host and port. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly path?: string
  readonly tls: boolean
  /** SHA-256 of the server's certificate, lower-case hex without colons: trusted instead of an authority. */
  readonly fingerprint?: string
  readonly certificate?: { readonly cert: string; readonly key: string }
}

/** What the wire tells its session. Nothing thrown here may reach the socket. */
export interface WireTap {
  /** The complete lines of one read, without their ends, in order. */
  lines(lines: readonly string[]): void
  /** Something odd that was mended: `over-long line dropped`. */
  odd(what: string): void
}

/** A longer line is no IRC: tags are at most 8,191 bytes and closed servers raise the rest to a few KiB. */
const longestLineBytes = 65_536
const connectTimeoutMs = 15_000
const forbidden = /[\r\n\0]+/g

/**
 * The one guard between us and the socket: CR, LF and NUL end or cut a line on the wire, so that whoever gets one of
 * them in could say anything as us. Every byte that leaves passes here.
 */
export const guard = (line: string): string => line.replace(forbidden, ' ')

/** Cuts what the socket delivers into lines; holds at most one unfinished line of bounded size. */
export class LineCutter {
  #rest: Buffer[] = []
  #restBytes = 0
  #skipping = false
  readonly #odd: (what: string) => void

  constructor(odd: (what: string) => void) {
    this.#odd = odd
  }

  cut(chunk: Buffer): string[] {
    const end = chunk.lastIndexOf(10)
    if (end === -1) {
      this.#keep(chunk)
      return []
    }
    const head = chunk.subarray(0, end)
    const lines = decode(this.#restBytes === 0 ? head : Buffer.concat([...this.#rest, head]))
    // Only the first of the lines can be the tail of one that was too long.
    if (this.#skipping) lines.shift()
    this.#rest = []
    this.#restBytes = 0
    this.#skipping = false
    this.#keep(chunk.subarray(end + 1))
    return lines
  }

  #keep(tail: Buffer): void {
    if (tail.length === 0 || this.#skipping) return
    this.#restBytes += tail.length
    this.#rest.push(tail)
    if (this.#restBytes <= longestLineBytes) return
    this.#odd('over-long line dropped')
    this.#skipping = true
    this.#rest = []
    this.#restBytes = 0
  }
}

/** UTF-8 where it is; a line that is not is read as Latin-1, which never fails. */
function decode(bytes: Buffer): string[] {
  if (isUtf8(bytes)) return bytes.toString('utf8').split('\n')
  const lines: string[] = []
  for (let at = 0; at <= bytes.length; ) {
    const end = bytes.indexOf(10, at)
    const line = bytes.subarray(at, end === -1 ? bytes.length : end)
    lines.push(line.toString(isUtf8(line) ? 'utf8' : 'latin1'))
    at = end === -1 ? bytes.length + 1 : end + 1
  }
  return lines
}

const hex = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase()

interface WireOptions {
  readonly endpoint: Endpoint
  readonly tap: WireTap
  /** Told of the new wire, so that its session can reach it. */
  readonly opened: (wire: Wire) => void
}

/** The transport that irc-framework drives: TCP, TLS or a unix socket without Nagle's delay. The only I/O of IRC. */
export class Wire extends EventEmitter {
  readonly #endpoint: Endpoint
  readonly #tap: WireTap
  readonly #cutter: LineCutter
  #socket: Socket | null = null
  #error: Error | null = null
  #out = ''
  #timer: NodeJS.Timeout | undefined
  /** When bytes last came in, `performance.now()`. */
  lastReadMs = performance.now()

  constructor(options: object) {
    super()
    const { endpoint, tap, opened } = options as WireOptions
    this.#endpoint = endpoint
    this.#tap = tap
    this.#cutter = new LineCutter(what => tap.odd(what))
    opened(this)
  }

  connect(): void {
    try {
      this.#bind(this.#open())
    } catch (error) {
      // Bad certificate files and the like throw at once: they are a failed connection like any other.
      this.#error = error as Error
      setImmediate(() => this.emit('close', this.#error))
    }
  }

  #open(): Socket {
    const { host, port, path, tls, certificate, fingerprint } = this.#endpoint
    if (path !== undefined) return connectPlain({ path })
    if (!tls) return connectPlain({ host, port, noDelay: true, keepAlive: true })
    const name = isIP(host) ? {} : { servername: host }
    return connectTls({ host, port, ...name, ...certificate, rejectUnauthorized: fingerprint === undefined })
  }

  #bind(socket: Socket): void {
    this.#socket = socket
    this.#timer = setTimeout(() => socket.destroy(new Error('no answer to the connection attempt')), connectTimeoutMs)
    socket.setNoDelay(true)
    socket.on(this.#endpoint.tls && this.#endpoint.path === undefined ? 'secureConnect' : 'connect', () =>
      this.#ready(socket),
    )
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', error => {
      this.#error = error
    })
    socket.on('close', () => {
      clearTimeout(this.#timer)
      this.emit('close', this.#error ?? false)
    })
  }

  #ready(socket: Socket): void {
    clearTimeout(this.#timer)
    const { fingerprint, tls } = this.#endpoint
    if (tls && fingerprint !== undefined && hex(fingerprint) !== this.#seen(socket as TLSSocket)) {
      socket.destroy(new Error('the server shows another certificate than the pinned one: check `fingerprint`'))
      return
    }
    this.emit('open')
  }

  #seen(socket: TLSSocket): string {
    const certificate: X509Certificate | undefined = socket.getPeerX509Certificate()
    return certificate ? hex(certificate.fingerprint256) : ''
  }

  #take(chunk: Buffer): void {
    this.lastReadMs = performance.now()
    const lines = this.#cutter.cut(chunk)
    if (lines.length === 0) return
    hop('read')
    this.#tap.lines(lines)
  }

  /** Lines of one turn of the event loop leave in one write. */
  writeLine(line: string, done?: () => void): void {
    if (this.#out === '') queueMicrotask(() => this.#flush())
    this.#out += `${guard(line)}\r\n`
    if (done) setImmediate(done)
  }

  #flush(): void {
    const out = this.#out
    this.#out = ''
    if (!this.#socket?.writable) return
    this.#socket.write(out)
    hop('written')
  }

  pause(paused: boolean): void {
    if (paused) this.#socket?.pause()
    else this.#socket?.resume()
    this.lastReadMs = performance.now()
  }

  close(force: boolean): void {
    this.#flush()
    if (force) this.#socket?.destroy()
    else this.#socket?.end()
  }

  disposeSocket(): void {
    this.#socket?.removeAllListeners()
    this.#socket?.on('error', () => this.#tap.odd('error on a socket that was given up'))
    this.#socket?.destroy()
    clearTimeout(this.#timer)
  }

  /** Part of the framework's contract: text here is always UTF-8. */
  setEncoding(_encoding: string): boolean {
    return true
  }
}
