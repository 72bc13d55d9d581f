/** Runs all suites: several to a process, as many processes at once as the machine has room for. */
import { type ChildProcess, spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { text } from 'node:stream/consumers'
import { stripVTControlCharacters } from 'node:util'

/** Suites that need much of the machine: two at once, after all others. */
const heavy = [
  'test/kill/kill.test.ts',
  'scripts/start.test.ts',
  'adapters/irc/server/supervisor.test.ts',
  'core/bus/queues.test.ts',
]

/** Suites that measure time: one after the other, with nothing beside them. */
const timed = ['test/recovery.test.ts', 'test/bell.test.ts']

/** Suites that take longest: each begins at once, in a process of its own, beside the others, which would wait for them at the end. */
const long = [
  'test/check.test.ts',
  'test/five/pairs.test.ts',
  'adapters/matrix/contract.test.ts',
  'scripts/backup.test.ts',
  'test/five/kill.test.ts',
  'bots/oracle/crash.test.ts',
  'test/fuzz.test.ts',
]

/** What a process loads and compiles for one suite the next one finds: that is half of what most of them cost. */
const perProcess = 14
/** Most suites wait for servers more than they compute. */
const atOnce = Math.min(3 * availableParallelism(), 12)

interface Ended {
  readonly files: readonly string[]
  readonly code: number
  /** By name, as node's reporter sums up: `tests`, `pass`, `fail`, `skipped`. */
  readonly counts: ReadonlyMap<string, number>
  /** Each test that failed, with what it says. */
  readonly failed: string
}

/** Those of one part of the house together, in portions. */
function portionsOf(files: readonly string[]): string[][] {
  const partOf = (file: string): string =>
    file
      .split('/')
      .slice(0, /^(?:adapters|bots)/.test(file) ? 2 : 1)
      .join('/')
  return [...Map.groupBy(files, partOf).values()].flatMap(part => {
    const portions = Math.ceil(part.length / perProcess)
    // Neighbours are alike: what takes long is dealt out.
    return Array.from({ length: portions }, (_, n) => part.filter((_file, index) => index % portions === n))
  })
}

export function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('close', code => done(code ?? 1))
  })
}

/** One process; what it prints comes as a whole at its end. */
async function run(files: readonly string[], options: readonly string[]): Promise<Ended> {
  // What failed half-way may have left a server open, which would keep its process for ever.
  const common = [
    '--test',
    '--test-isolation=none',
    '--test-force-exit',
    '--test-reporter=spec',
    '--test-timeout=300000',
  ]
  const child = spawn(process.execPath, [...common, ...options, ...files], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [printed, code] = await Promise.all([text(child.stdout), exitCode(child)])
  process.stdout.write(printed)
  const sums = stripVTControlCharacters(printed).matchAll(/^ℹ (tests|pass|fail|cancelled|skipped) (\d+)$/gm)
  const counts = new Map([...sums].map(([, name, count]) => [name as string, Number(count)]))
  // Who ends before its sums has not run all of it, whatever its code.
  const failed = / failing tests:\n(.*)$/s.exec(stripVTControlCharacters(printed))?.[1] ?? ''
  return { files, code: counts.get('tests') ? code : code || 1, counts, failed }
}

/** Runs them in this order, so many at once. */
async function runAll(
  all: readonly (readonly string[])[],
  options: readonly string[],
  beside: number,
): Promise<Ended[]> {
  const waiting = [...all]
  const ended: Ended[] = []
  const work = async (): Promise<void> => {
    for (let files = waiting.shift(); files; files = waiting.shift()) ended.push(await run(files, options))
  }
  await Promise.all(Array.from({ length: beside }, work))
  return ended
}

function sumUp(ended: readonly Ended[]): void {
  const sum = (name: string): number => ended.reduce((total, { counts }) => total + (counts.get(name) ?? 0), 0)
  const counts = ['tests', 'pass', 'fail', 'cancelled', 'skipped'].map(name => `${name} ${sum(name)}`)
  console.log(`\nin all: ${counts.join(', ')}`)
  for (const { code, files, counts: own, failed } of ended)
    if (code !== 0) console.log(`✖ ${own.get('fail') ?? 'unknown'} failed: npm test -- ${files.join(' ')}\n${failed}`)
}

/** Runs every suite there is. `options`: more of node --test. Returns the exit code. */
export async function runSuites(options: readonly string[]): Promise<number> {
  const apart = [...heavy, ...timed, ...long]
  const all = globSync('{core,adapters,bots,config,scripts,bench,test}/**/*.test.ts').sort()
  const alone = (files: readonly string[]): string[][] => files.map(file => [file])
  const rest = portionsOf(all.filter(file => !apart.includes(file)))
  const ended = await runAll([...alone(long), ...rest], options, atOnce)
  ended.push(...(await runAll(alone(heavy), options, 2)), ...(await runAll(alone(timed), options, 1)))
  sumUp(ended)
  return Math.max(...ended.map(({ code }) => code))
}
