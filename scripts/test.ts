/** `npm test`: gets every server that the suites can use, says which there are, then runs them all. */
import { type ChildProcess, spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { findPrograms, runnable } from '../adapters/irc/server/programs.ts'
import { makeFolder } from '../core/files.ts'
import { instanceOf } from './instance.ts'
import { treeOf, unpackDebian, type Wanted } from './programs/debian.ts'
import { fetchErgo } from './programs/ergo.ts'
import { inspircd } from './programs/irc.ts'
import { type Places, placesOf } from './programs/places.ts'
import { obtainRedis } from './programs/redis.ts'
import { obtainSynapse } from './programs/synapse.ts'
import { line, script, seconds } from './steps.ts'

const ngircd: Wanted = { packages: ['ngircd', 'libident'], programs: ['usr/sbin/ngircd'] }

/** Programs of tests are shared by all checkouts: nothing of a running instance is touched. */
async function testPlaces(): Promise<Places> {
  const { paths, env } = instanceOf()
  const { cache } = await placesOf(paths, env)
  const places = { data: cache, bin: join(cache, 'bin'), cache, env }
  await makeFolder(places.bin)
  return places
}

/** Shows what came of it; the suites that need what is missing say that they were left out. */
async function get(name: string, work: () => Promise<string>): Promise<string | null> {
  const sinceMs = performance.now()
  try {
    const detail = await work()
    line(true, name, seconds(sinceMs), detail)
    return detail
  } catch (error) {
    line(false, name, seconds(sinceMs), `left out: ${(error as Error).message}`)
    return null
  }
}

async function ergoThere(places: Places): Promise<string> {
  const look = async (): Promise<string | null> => {
    const { found } = await findPrograms(places.data, places.env)
    const ergo = found.find(program => program.server === 'ergo')
    return ergo?.server === 'ergo' ? `${ergo.version} (${ergo.path})` : null
  }
  const there = await look()
  if (there) return there
  await fetchErgo(places.bin, places.env)
  return (await look()) ?? 'fetched, but it does not run'
}

async function unpacked(places: Places, wanted: Wanted): Promise<string> {
  const tree = treeOf(places.cache)
  const program = join(tree, wanted.programs[0] ?? '')
  const trees = [places.env['CHANOP_DEBIAN'], '/'].filter(named => named !== undefined)
  for (const folder of trees) {
    const there = join(resolve(folder), wanted.programs[0] ?? '')
    if (await runnable(there)) return there
  }
  const done = async (): Promise<boolean> => {
    for (const path of wanted.programs) if (!(await runnable(join(tree, path)))) return false
    return true
  }
  if (!(await done())) await unpackDebian(places.cache, wanted, done)
  return program
}

async function main(): Promise<number> {
  const places = await testPlaces()
  console.log('servers for the suites:')
  await get('redis', async () => {
    const { path, version } = await obtainRedis(places)
    process.env['REDIS_SERVER'] = path
    return `${version} (${path})`
  })
  const ergo = await get('ergo', () => ergoThere(places))
  const fetched = join(places.bin, 'ergo')
  if (ergo && !process.env['ERGO_BIN'] && (await runnable(fetched))) process.env['ERGO_BIN'] = fetched
  await get('inspircd', () => unpacked(places, inspircd))
  await get('ngircd', () => unpacked(places, ngircd))
  await get('synapse', async () => {
    const { python, version } = await obtainSynapse(places)
    process.env['SYNAPSE_PYTHON'] = python
    return `${version} (${python})`
  })
  process.env['CHANOP_DEBIAN'] ||= treeOf(places.cache)
  return runTests(process.argv.slice(2))
}

/** Suites that need much of the machine: two at once, after all others. */
const heavy = [
  'test/kill/kill.test.ts',
  'scripts/start.test.ts',
  'adapters/irc/server/supervisor.test.ts',
  'core/bus/queues.test.ts',
]

/** Suites that measure time: one after the other, with nothing beside them. */
const timed = ['test/recovery.test.ts', 'test/bell.test.ts']

/** Suites that take longest: they begin at once, beside the others, which would wait for them at the end. */
const long = [
  'adapters/matrix/contract.test.ts',
  'bots/oracle/crash.test.ts',
  'test/check.test.ts',
  'test/five/kill.test.ts',
  'test/five/pairs.test.ts',
  'test/fuzz.test.ts',
]

/** `chosen`: paths or patterns, and options of node --test; without any path everything is run. */
async function runTests(chosen: readonly string[]): Promise<number> {
  if (chosen.some(argument => !argument.startsWith('-'))) return runNode(chosen)
  const apart = [...heavy, ...timed, ...long]
  const all = globSync('{core,adapters,bots,config,scripts,bench,test}/**/*.test.ts').sort()
  // Most suites wait for servers more than they compute.
  const codes = await Promise.all([
    runNode([...chosen, '--test-concurrency=5', ...all.filter(file => !apart.includes(file))]),
    runAside([...chosen, '--test-concurrency=1', ...long]),
  ])
  codes.push(await runNode([...chosen, '--test-concurrency=2', ...heavy]))
  codes.push(await runNode([...chosen, '--test-concurrency=1', ...timed]))
  return Math.max(...codes)
}

const argumentsOf = (more: readonly string[]): string[] => [
  '--test',
  '--test-reporter=spec',
  '--test-timeout=300000',
  ...more,
]

function runNode(more: readonly string[]): Promise<number> {
  return ended(spawn(process.execPath, argumentsOf(more), { stdio: ['ignore', 'inherit', 'inherit'] }))
}

/** What it prints comes as a whole at its end. */
async function runAside(more: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, argumentsOf(more), { stdio: ['ignore', 'pipe', 'inherit'] })
  const [printed, code] = await Promise.all([text(child.stdout), ended(child)])
  process.stdout.write(printed)
  return code
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('close', code => done(code ?? 1))
  })
}

await script(main)
