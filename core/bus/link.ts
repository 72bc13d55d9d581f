import { connect, type Socket } from 'node:net'

/** Longer lines are nobody's of ours. */
const mostLineBytes = 64_000
const greetMs = 2000

/** A ring without a number: there may be something, whatever was read last. */
export const lookNow = Number.MAX_SAFE_INTEGER

/** `bridge-123.bell` is of `bridge`. */
export const nameOf = (file: string): string => file.replace(/-\d+\.\w+$/, '')

/**
 * One connection between two processes: lines both ways. What a process does not read in time, such as a stopped one, is
 * dropped beyond the socket's own buffer; once it reads it is told to look.
 */
export class Link {
  readonly #socket: Socket
  #rest = ''
  #dropped = false
  onLine: (line: string) => void = () => undefined
  onEnd: () => void = () => undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('drain', () => {
      if (this.#dropped) this.#socket.write(`${lookNow}\n`)
      this.#dropped = false
    })
    socket.on('data', (text: string) => this.#read(text))
    socket.on('close', () => this.onEnd())
    // What went wrong is said by `close`, which follows.
    socket.on('error', () => undefined)
  }

  say(line: string): void {
    // Only a write that went over the mark is followed by `drain`.
    if (this.#socket.writableNeedDrain) this.#dropped = true
    else if (this.#socket.writable) this.#socket.write(`${line}\n`)
  }

  end(): void {
    this.onEnd = () => undefined
    this.#socket.destroy()
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > mostLineBytes) this.#socket.destroy()
    for (const line of lines) this.onLine(line)
  }
}

/** Takes a call: who calls says its own file first. */
export function greeted(socket: Socket, take: (file: string, link: Link) => void): void {
  const link = new Link(socket)
  const timer = setTimeout(() => socket.destroy(), greetMs)
  link.onEnd = () => clearTimeout(timer)
  link.onLine = file => {
    clearTimeout(timer)
    take(file, link)
    link.say('true')
  }
}

/** Calls the process that listens at `path`; done once that one has this process among those it rings. */
export function dial(
  path: string,
  ownFile: string,
  done: (error: NodeJS.ErrnoException | null, link: Link | null) => void,
): void {
  const socket = connect(path)
  const link = new Link(socket)
  let failure: NodeJS.ErrnoException | null = null
  socket.once('error', error => {
    failure = error
  })
  socket.setTimeout(greetMs, () => socket.destroy())
  link.onEnd = () => done(failure, null)
  link.onLine = () => {
    socket.setTimeout(0)
    done(null, link)
  }
  socket.once('connect', () => link.say(ownFile))
}
