/** `npm test`: gets every server that the suites can use, says which there are, then runs them all. */
import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
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
import { exitCode, runSuites } from './suites.ts'

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

/** `chosen`: paths or patterns, and options of node --test; without any path everything is run. */
function runTests(chosen: readonly string[]): Promise<number> {
  if (!chosen.some(argument => !argument.startsWith('-'))) return runSuites(chosen)
  const options = ['--test', '--test-reporter=spec', '--test-timeout=300000', ...chosen]
  return exitCode(spawn(process.execPath, options, { stdio: ['ignore', 'inherit', 'inherit'] }))
}

await script(main)
