/**
 * `node test/five/memory.ts [messages]`: what the process of `bridge` takes with all five platforms connected, before and after so many
 * messages from each of them. Fails above 250 MiB.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { copyIn } from './room.ts'
import { discordSide, ircSide, matrixSide, type Side, slackSide, telegramSide } from './sides.ts'

const root = resolve(import.meta.dirname, '../..')
const count = Number(process.argv[2] ?? '300')

const mostMiB = 250

/** What the process takes; this one fails when it was ever more than is aimed at. */
function memory({ pid }: ChildProcess): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const of = (key: string): number => Math.round(Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024)
  if (!(of('VmHWM') < mostMiB)) process.exitCode = 1
  return `${of('VmRSS')} MiB now, ${of('VmHWM')} MiB at most`
}

async function start(sides: readonly Side[], dataDir: string): Promise<ChildProcess> {
  const networks = Object.fromEntries(sides.map(({ network, config }) => [network, config]))
  const places = sides.map(({ network, channel }) => `${network}:${channel}`)
  const config = join(dataDir, 'chanop.yaml')
  writeFileSync(config, JSON.stringify({ owner: 'irc:ivy', networks, rooms: { five: { places, open: true } } }))
  const env = Object.assign({}, ...sides.map(side => side.env)) as Record<string, string>
  const child = fork(join(root, 'bots/bridge/main.ts'), {
    cwd: root,
    // As PM2 starts it.
    execArgv: ['--max-semi-space-size=2', '--import', './core/process/pause.ts'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env,
      ...env,
      CHANOP_DATA: dataDir,
      CHANOP_CONFIG: config,
      NODE_COMPILE_CACHE: join(dataDir, 'cache'),
    },
  })
  await once(child, 'message', { signal: AbortSignal.timeout(60_000) })
  return child
}

/** Each has said so much, and all of it has come to all others. */
async function talk(sides: readonly Side[], word: string, times: number): Promise<void> {
  for (let n = 0; n < times; n++) for (const side of sides) await side.say(`${word}${n} ${side.network}.`)
  for (const to of sides) {
    for (const { network } of sides.filter(each => each !== to)) {
      const last = `${word}${times - 1} ${network}.`
      await copyIn(to, ({ text }) => text.includes(last), last, 60_000 + times * 500)
    }
  }
}

const sides = await Promise.all([ircSide('inspircd'), discordSide(), slackSide(), telegramSide(), matrixSide()])
const dataDir = mkdtempSync(join(tmpdir(), 'chanop-five-'))
const child = await start(sides, dataDir)
try {
  // What is said before a network is up the first time is older than our meeting.
  for (let n = 0; ; n++) {
    const met = await talk(sides, `hello${n}-`, 1).then(
      () => true,
      () => false,
    )
    if (met) break
  }
  console.log(`bridge, five platforms connected: ${memory(child)}`)
  const sinceMs = performance.now()
  await talk(sides, 'm', count)
  const tookS = (performance.now() - sinceMs) / 1000
  console.log(`after ${count * 5} messages, ${count * 20} copies, in ${tookS.toFixed(0)} s: ${memory(child)}`)
} finally {
  child.kill()
  await once(child, 'exit')
  await Promise.all(sides.map(side => side.stop()))
  rmSync(dataDir, { recursive: true, force: true })
}
process.exit()
