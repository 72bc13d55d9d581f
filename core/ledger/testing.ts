/** Help for tests of the ledger and of what lives in it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs, { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import type { ChannelId, MessageEvent, MessageId, NetworkId, Place, UserId } from '../event.ts'
import { text } from '../event.ts'
import { Ledger, type LedgerOptions } from './ledger.ts'
import { migrations } from './schema.ts'
import { connect, migrate } from './sqlite.ts'

export const placeNamed = (channel: string, network = 'irc'): Place => ({
  network: network as NetworkId,
  channel: channel as ChannelId,
})

/** A live message of a verified person; `n` makes its key, its id, its time and its text. */
export const messageNumber = (n: number, over: Partial<MessageEvent> = {}): MessageEvent => ({
  kind: 'message',
  key: `irc:m${n}`,
  id: `m${n}` as MessageId,
  place: placeNamed('#general'),
  sender: { id: 'alice' as UserId, name: 'Alice', kind: 'person', verified: true },
  atMs: 1_700_000_000_000 + n,
  origin: 'live',
  content: text(`message ${n}`),
  ...over,
})

/** A folder that goes away with the test. */
export function temporaryFolder(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'chanop-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

let fresh: Buffer | null = null

/** An empty ledger as a file, made once: the migrations of each one anew take five times as long as all else of it. */
function freshLedger(): Buffer {
  if (fresh) return fresh
  const db = connect(':memory:')
  migrate(db, migrations)
  fresh = db.serialize()
  db.close()
  return fresh
}

/** As `Ledger.open`; what is not there yet is made quickly. */
export function openLedger(path: string, options: LedgerOptions = {}): Ledger {
  if (!existsSync(path)) writeFileSync(path, freshLedger(), { mode: 0o600 })
  return Ledger.open(path, options)
}

/** A ledger in a file of its own, closed and removed with the test. */
export function temporaryLedger(t: Pick<TestContext, 'after'>): Ledger {
  let close = (): void => undefined
  t.after(() => close())
  const ledger = openLedger(join(temporaryFolder(t), 'ledger.db'))
  close = () => ledger.close()
  return ledger
}

/** How many transactions a write-ahead log holds: its frames that end one (SQLite file format, section 4.1). */
export function commitsIn(path: string): number {
  if (!existsSync(`${path}-wal`)) return 0
  const wal = readFileSync(`${path}-wal`)
  if (wal.length < 32) return 0
  const frameBytes = 24 + wal.readUInt32BE(8)
  const salts = wal.subarray(16, 24)
  let commits = 0
  for (let at = 32; at + frameBytes <= wal.length; at += frameBytes) {
    if (!wal.subarray(at + 8, at + 16).equals(salts)) break
    if (wal.readUInt32BE(at + 4) !== 0) commits++
  }
  return commits
}

/** The disk as it is, but that a ledger which waits for it beside itself is told only when it is let through: one call after the other. */
export function slowDisk(t: TestContext): { readonly waiting: (() => void)[] } {
  const waiting: (() => void)[] = []
  const real = fs.fdatasync
  t.mock.method(fs, 'fdatasync', (fd: number, done: fs.NoParamCallback) => {
    waiting.push(() => real(fd, done))
  })
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
    for (const go of waiting.splice(0)) go()
  })
  return { waiting }
}

/** A program of the tests in a process of its own; `lines` is what it has said so far. */
export interface Child {
  readonly process: ChildProcess
  readonly lines: readonly string[]
  /** Resolves with the first line that matches, said already or yet to come; rejects when it ends or after 20 s. */
  line(pattern: RegExp): Promise<string>
  /** Resolves with its exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>
}

/** Where scripts/run keeps what is compiled: a process that is killed never writes its own. */
export const compileCache = resolve(import.meta.dirname, '../../node_modules/.cache/compile')

const lineDeadlineMs = 60_000

/** Runs `command`, standard input open, standard output read line by line, and kills it when the test is over. */
export function runChild(
  t: Pick<TestContext, 'after'>,
  command: readonly string[],
  options: { env?: NodeJS.ProcessEnv; ipc?: boolean } = {},
): Child {
  const stdio: ('pipe' | 'inherit' | 'ipc')[] = ['pipe', 'pipe', 'inherit', ...(options.ipc ? ['ipc' as const] : [])]
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache, ...options.env }
  const child = spawn(command[0] as string, command.slice(1), { stdio, env })
  const lines: string[] = []
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  let over = false
  const reader = createInterface(child.stdout as Readable).on('line', line => (lines.push(line), tell()))
  // Not the event 'close': it never comes once the channel to the child was disconnected.
  const ended = Promise.all([once(child, 'exit'), once(reader, 'close')]).then(([[code, signal]]) => {
    over = true
    tell()
    return (code ?? signal) as number | string
  })
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find(said => pattern.test(said))
        if (found === undefined && !over) return
        clearTimeout(timer)
        listeners.delete(look)
        if (found === undefined) reject(new Error(`ended without saying ${pattern}: ${lines.join(' | ')}`))
        else resolve(found)
      }
      const late = (): void => reject(new Error(`no line ${pattern} in time: ${lines.join(' | ')}`))
      const timer = setTimeout(late, lineDeadlineMs)
      listeners.add(look)
      look()
    })
  return { process: child, lines, line, ended }
}
