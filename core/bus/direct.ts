import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { ChanopError } from '../error.ts'
import type { Log } from '../log.ts'
import { hop } from '../trace.ts'
import { type Bus, Listeners, type Topic, type Topics } from './bus.ts'
import { dial, greeted, type Link, lookNow, nameOf } from './link.ts'

/** For so long those wait who are not in a hurry: whoever is has the processors to itself. */
const laterMs = 15
const tendMs = 1000
const ending = '.bell'

/**
 * The bus without anything in between: each process listens on a unix socket of its own in one folder, `<name>-<pid>.bell`,
 * and holds a link with every other one it finds there. A process links itself with those that are there already, so that
 * later ones bring theirs. Sockets that nobody listens on any more are removed by whoever finds them.
 */
export class DirectBus implements Bus {
  readonly #folder: string
  readonly #file: string
  readonly #log: Log
  readonly #listeners = new Listeners()
  /** By the file of the other process; two when both called at once. */
  readonly #links = new Map<string, Set<Link>>()
  readonly #dialling = new Set<string>()
  #found: readonly string[] = []
  #server: Server | null = null
  #opening = false
  #tending: NodeJS.Timeout | undefined
  #later: NodeJS.Timeout | undefined
  #laterSeq = 0
  #late = new Set<string>()
  #up = false
  #complaint = ''
  #closed = false

  constructor(folder: string, name: string, log: Log) {
    this.#folder = folder
    this.#file = `${name}-${process.pid}${ending}`
    this.#log = log
  }

  /** Listens and begins to link with the others; waits for nobody. */
  start(): void {
    this.#tend()
    this.#tending = setInterval(() => this.#tend(), tendMs)
  }

  get up(): boolean {
    return this.#up
  }

  get redisUp(): boolean {
    return false
  }

  onUp(listener: (up: boolean) => void): () => void {
    return this.#listeners.add('up', listener)
  }

  ring(seq: number, first?: readonly string[]): void {
    for (const file of this.#links.keys()) {
      if (!first || first.includes(nameOf(file))) this.#send(file, String(seq))
      else this.#late.add(file)
    }
    if (this.#late.size === 0) return
    this.#laterSeq = seq
    this.#later ??= setTimeout(() => this.#ringLate(), laterMs)
  }

  onRing(listener: (seq: number) => void): () => void {
    return this.#listeners.add('ring', listener)
  }

  signal<T extends Topic>(topic: T, payload: Topics[T]): void {
    if (this.#closed) return
    const line = JSON.stringify([topic, payload])
    for (const file of this.#links.keys()) this.#send(file, line)
    queueMicrotask(() => this.#hear(line))
  }

  onSignal<T extends Topic>(topic: T, listener: (payload: Topics[T]) => void): () => void {
    return this.#listeners.add(topic, listener)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#tending)
    clearTimeout(this.#later)
    for (const link of [...this.#links.values()].flatMap(links => [...links])) link.end()
    this.#links.clear()
    this.#server?.close()
    if (this.#server) rmSync(join(this.#folder, this.#file), { force: true })
    this.#server = null
    this.#changed()
  }

  #ringLate(): void {
    this.#later = undefined
    for (const file of this.#late) this.#send(file, String(this.#laterSeq))
    this.#late.clear()
  }

  #send(file: string, line: string): void {
    const [link] = this.#links.get(file) ?? []
    link?.say(line)
  }

  #hear(line: string): void {
    if (this.#closed) return
    let said: unknown
    try {
      said = JSON.parse(line)
    } catch (error) {
      return this.#log.warn({ error }, 'a line between the processes is not JSON: left out')
    }
    if (typeof said === 'number') {
      hop('woken')
      this.#listeners.tell('ring', said)
    } else if (Array.isArray(said)) this.#listeners.tell(String(said[0]), said[1])
  }

  /** Sees to it that this process can be found, and is linked with all that can be. */
  #tend(): void {
    if (this.#closed) return
    try {
      this.#found = this.#look()
      if (!this.#opening && (!this.#server || !this.#found.includes(this.#file))) this.#listen()
      for (const file of this.#found) if (file !== this.#file && !this.#links.has(file)) this.#dial(file)
    } catch (error) {
      this.#complain(error)
    }
    this.#changed()
  }

  #look(): readonly string[] {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const { uid, mode } = lstatSync(this.#folder)
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0) {
      throw new ChanopError('config-invalid', `${this.#folder} is open to others: remove it, and it is made anew`)
    }
    return readdirSync(this.#folder).filter(file => file.endsWith(ending))
  }

  /** Shows its socket to the others only once it takes connections: one that refuses them is taken for dead. */
  #listen(): void {
    this.#server?.close()
    const draft = join(this.#folder, `.${this.#file}`)
    rmSync(draft, { force: true })
    const server = createServer(socket => greeted(socket, (file, link) => this.#linked(file, link)))
    this.#server = server
    this.#opening = true
    server.on('error', error => {
      this.#opening = false
      this.#server = null
      this.#complain(error)
      this.#changed()
    })
    server.listen(draft, () => {
      this.#opening = false
      if (this.#closed) return
      try {
        chmodSync(draft, 0o600)
        renameSync(draft, join(this.#folder, this.#file))
        this.#complaint = ''
      } catch (error) {
        return this.#complain(error)
      }
      this.#tend()
    })
  }

  #dial(file: string): void {
    if (this.#dialling.has(file)) return
    this.#dialling.add(file)
    dial(join(this.#folder, file), this.#file, (error, link) => {
      this.#dialling.delete(file)
      if (link) this.#linked(file, link)
      else if (error?.code === 'ECONNREFUSED') rmSync(join(this.#folder, file), { force: true })
      if (error) this.#found = this.#found.filter(each => each !== file || error.code !== 'ECONNREFUSED')
      this.#changed()
    })
  }

  #linked(file: string, link: Link): void {
    if (this.#closed) return link.end()
    const links = this.#links.get(file) ?? new Set()
    this.#links.set(file, links.add(link))
    link.onLine = line => this.#hear(line)
    link.onEnd = () => {
      links.delete(link)
      if (links.size > 0) return
      this.#links.delete(file)
      this.#tend()
    }
    this.#changed()
    // What the other one committed before it could ring here.
    this.#listeners.tell('ring', lookNow)
  }

  #changed(): void {
    const shown = this.#server !== null && this.#found.includes(this.#file)
    const up = !this.#closed && shown && this.#found.every(file => file === this.#file || this.#links.has(file))
    if (up === this.#up) return
    this.#up = up
    this.#listeners.tell('up', up)
  }

  /** One line for each new reason. */
  #complain(error: unknown): void {
    const { message } = error as Error
    if (this.#closed || message === this.#complaint) return
    this.#complaint = message
    this.#log.warn({ error }, `no direct bell, looking at the ledger instead: ${message}`)
  }
}
