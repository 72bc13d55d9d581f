/**
 * `npm run bench -- [--only relay,command,trace,start,memory,history,matrix,oracle,http,streams,ledger,search] [--servers ergo,ergo] [--runs 3] [--messages 30000]
 * [--rows 1000000] [--readers 1000] [--per-second 500]`. What each figure means stands in docs/performance.md.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { traceFolder } from '../core/trace.ts'
import { Instance, until } from '../test/instance.ts'
import { optionsOf, twoServers } from '../test/options.ts'
import { benchCommand } from './command.ts'
import { say } from './figures.ts'
import { benchHistory } from './history.ts'
import { benchHttp } from './http.ts'
import { benchMatrix } from './matrix.ts'
import { benchOracle, oracleConfig, TimedModel } from './oracle.ts'
import { megabytes, usage } from './processes.ts'
import { benchRelay } from './relay.ts'
import { benchSearch } from './search.ts'
import { benchStart } from './start.ts'
import { benchStreams, streamsNetworks } from './streams.ts'
import { benchTrace } from './trace.ts'

const options = optionsOf({
  only: 'start,memory,relay,command,trace,history,matrix,oracle,http,streams,ledger,search',
  servers: 'ergo,ergo',
  runs: 3,
  messages: 30_000,
  rows: 1_000_000,
  readers: 1000,
  'per-second': 500,
})
const wanted = new Set(options.only.split(','))
const { runs, messages, rows } = options
const [managed, external] = twoServers(options.servers)
/** Settings that let one person do what a benchmark does. */
const config = 'commands: { perMinute: 6000, burst: 1000 }\n'
/** What a start leaves behind is given back ten seconds after it. */
const idleMs = 20_000

function memory(instance: Instance): void {
  const all = usage(instance.data)
  const sum = (of: (one: (typeof all)[number]) => number): number => all.reduce((total, one) => total + of(one), 0)
  for (const { name, rssBytes, pssBytes } of all)
    say(`  ${name}`, `RSS ${megabytes(rssBytes)}, PSS ${megabytes(pssBytes)}`)
  say('whole system idle', `PSS ${megabytes(sum(one => one.pssBytes))} (RSS ${megabytes(sum(one => one.rssBytes))})`)
}

async function live(): Promise<void> {
  const sinceMs = performance.now()
  const instance = await Instance.start({ managed, external, config })
  try {
    say('npm start, first of an instance', `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`)
    if (wanted.has('start')) await benchStart(instance, runs)
    if (wanted.has('memory')) {
      // With compiled code of the last run, as it mostly is.
      await instance.run('stop')
      await instance.run('start')
      await wait(idleMs)
      memory(instance)
    }
    if (wanted.has('relay')) await benchRelay(instance, { runs, messages })
    if (wanted.has('command')) await benchCommand(instance, runs)
    if (wanted.has('trace')) await trace(instance)
  } finally {
    await instance.close()
  }
}

async function trace(instance: Instance): Promise<void> {
  await instance.run('stop')
  await mkdir(traceFolder(instance.data), { recursive: true, mode: 0o700 })
  await instance.run('start')
  await until('both servers', 20_000, () => instance.connected())
  await benchTrace(instance)
}

async function answers(): Promise<void> {
  const closing: (() => void)[] = []
  const model = await TimedModel.listen({ after: done => closing.push(done) })
  const instance = await Instance.start({ managed, external: null, config: config + oracleConfig(model.server.url) })
  try {
    await benchOracle(instance, model, runs)
  } finally {
    await instance.close()
    for (const close of closing) close()
  }
}

async function streams(): Promise<void> {
  const instance = await Instance.start({
    managed,
    external: external ?? 'ergo',
    config,
    networks: await streamsNetworks(),
  })
  try {
    await benchStreams(instance, { runs, readers: options.readers, perSecond: options['per-second'] })
  } finally {
    await instance.close()
  }
}

console.log(
  `servers ${options.servers}, load ${loadavg()
    .map(load => load.toFixed(1))
    .join(' ')}`,
)
if (['start', 'memory', 'relay', 'command', 'trace'].some(part => wanted.has(part))) await live()
if (wanted.has('history')) await benchHistory()
if (wanted.has('matrix')) await benchMatrix(runs)
if (wanted.has('oracle')) await answers()
if (wanted.has('http')) await benchHttp(runs)
if (wanted.has('streams')) await streams()
if (wanted.has('ledger')) {
  execFileSync(process.execPath, [join(import.meta.dirname, 'ledger.ts'), String(rows)], { stdio: 'inherit' })
}
if (wanted.has('search')) {
  const folder = mkdtempSync(join(tmpdir(), 'chanop-bench-'))
  try {
    for (const line of await benchSearch(rows, folder)) console.log(line)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
process.exit(0)
