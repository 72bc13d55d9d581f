/** Where the time of a lone message goes: the hops on its way through the processes, each as milliseconds after the one before. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Hop, traceFolder } from '../core/trace.ts'
import type { Instance } from '../test/instance.ts'
import { median, quantile, say } from './figures.ts'
import { lineOf, numberIn, Talker } from './talk.ts'

type Where = 'bridge' | 'admin'
interface Step {
  readonly bot: Where
  readonly hop: Hop
  readonly means: string
}

const relaySteps: readonly Step[] = [
  { bot: 'bridge', hop: 'read', means: 'said → the first server → read by bridge' },
  { bot: 'bridge', hop: 'committed', means: 'the fact and its copies are on the disk' },
  { bot: 'bridge', hop: 'written', means: 'the copy is written to the other server' },
]
const commandSteps: readonly Step[] = [
  { bot: 'bridge', hop: 'read', means: 'said → the server → read by bridge' },
  { bot: 'bridge', hop: 'committed', means: 'the fact is on the disk' },
  { bot: 'admin', hop: 'woken', means: 'the bell reaches admin' },
  { bot: 'admin', hop: 'facts', means: 'admin has read the fact' },
  { bot: 'admin', hop: 'committed', means: 'answer and audit are on the disk' },
  { bot: 'bridge', hop: 'woken', means: 'the bell reaches bridge' },
  { bot: 'bridge', hop: 'written', means: 'the answer is written to the server' },
]

const rounds = 220
/** Left out at the beginning: the first ones find cold code. */
const warm = 20
const pauseMs = 100
const answerMs = 10_000

type Marks = Readonly<Record<Where, readonly { readonly hop: Hop; readonly atMs: number }[]>>

async function marksOf(instance: Instance): Promise<Marks> {
  const read = async (bot: Where) => {
    const text = await readFile(join(traceFolder(instance.data), `${bot}.jsonl`), 'utf8')
    // Nanoseconds of weeks are exact to a microsecond as a double.
    const lines = text.trimEnd().split('\n')
    return lines.map(line => JSON.parse(line) as [Hop, number]).map(([hop, ns]) => ({ hop, atMs: ns / 1e6 }))
  }
  return { bridge: await read('bridge'), admin: await read('admin') }
}

interface Round {
  readonly saidMs: number
  readonly heardMs: number
}

/** The first of each step after the one before; null where one was not seen, because another message came between. */
function legs(marks: Marks, steps: readonly Step[], { saidMs, heardMs }: Round): number[] | null {
  const out: number[] = []
  let lastMs = saidMs
  for (const { bot, hop } of steps) {
    const found = marks[bot].find(mark => mark.hop === hop && mark.atMs >= lastMs && mark.atMs <= heardMs)
    if (!found) return null
    out.push(found.atMs - lastMs)
    lastMs = found.atMs
  }
  return [...out, heardMs - lastMs]
}

function table(name: string, marks: Marks, steps: readonly Step[], all: readonly Round[]): void {
  const found = all.slice(warm).flatMap(round => {
    const legsMs = legs(marks, steps, round)
    return legsMs ? [legsMs] : []
  })
  const total = all.slice(warm).map(({ saidMs, heardMs }) => heardMs - saidMs)
  say(`${name}: ${found.length} of ${total.length} traced`, found.length === 0 ? 'none was whole' : 'p50 / p95 ms')
  for (const [at, means] of [...steps.map(step => step.means), 'the server → heard'].entries()) {
    const each = found.map(legsMs => legsMs[at] as number)
    say(`  ${means}`, `${median(each).toFixed(2)} / ${quantile(each, 0.95).toFixed(2)}`)
  }
  say('  in all', `${median(total).toFixed(2)} / ${quantile(total, 0.95).toFixed(2)}`)
}

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6

/** Says `text`, and resolves when `heard` is called. */
async function oneByOne(speak: (n: number) => void, arrived: (done: () => void) => void): Promise<Round[]> {
  const all: Round[] = []
  for (let n = 0; n < rounds; n++) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const late = setTimeout(() => reject(new Error('nothing came')), answerMs)
    arrived(resolve)
    const saidMs = nowMs()
    speak(n)
    await promise
    all.push({ saidMs, heardMs: nowMs() })
    clearTimeout(late)
    await wait(pauseMs)
  }
  return all
}

/** `instance` was started with `traceFolder` there. */
export async function benchTrace(instance: Instance): Promise<void> {
  let answered: () => void = () => undefined
  let relayed: () => void = () => undefined
  const asker = new Talker(await instance.account('irc', 'tracer'), instance.channel, line => {
    if (line.startsWith(':admin!') || line.includes(' :admin!')) answered()
  })
  const far = new Talker(await instance.account('ext', 'listener'), instance.channel, line => {
    if (numberIn(line) >= 0) relayed()
  })
  await Promise.all([asker.entered, far.entered])
  const relay = await oneByOne(
    n => asker.say(lineOf(n)),
    done => (relayed = done),
  )
  const commands = await oneByOne(
    () => asker.say('!version'),
    done => (answered = done),
  )
  await wait(1000)
  const marks = await marksOf(instance)
  table('a relayed line', marks, relaySteps, relay)
  table('!version', marks, commandSteps, commands)
  for (const one of [asker, far]) one.socket.destroy()
}
