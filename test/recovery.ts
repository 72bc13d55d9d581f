/**
 * How long each part is away after SIGKILL: `node test/recovery.ts [--rounds 20] [--servers ergo,inspircd]`. In each round
 * every part of one instance is killed once, one after the other.
 */
import { type Line, lastParam } from '../adapters/irc/text/line.ts'
import { sleep } from '../core/retry.ts'
import { type Bot, bots, Instance, killNow, type ServerKind, until } from './instance.ts'
import { Client, type Login, persist } from './irc.ts'
import { optionsOf, twoServers } from './options.ts'

export const parts = [...bots, 'redis', 'ircd'] as const
export type Part = (typeof parts)[number]

/** From SIGKILL to the first delivery, or to the state the aim names. Milliseconds. */
export type Times = Readonly<Record<Part, readonly number[]>>

export interface RecoveryOptions {
  readonly rounds: number
  readonly servers: readonly [ServerKind, ServerKind]
  readonly say: (text: string) => void
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return ((sorted[(sorted.length - 1) >> 1] ?? Number.NaN) + (sorted[sorted.length >> 1] ?? Number.NaN)) / 2
}

/** No limit that a person would meet stands in the way of a measurement. */
const unlimited = 'commands: { perMinute: 6000, burst: 1000 }\n'
const comesBackMs = 30_000
const pauseMs = 500
/** What only this bot answers. */
const asked: Readonly<Record<Exclude<Bot, 'bridge' | 'oracle'>, string>> = { admin: '!version', scribe: '!last 1' }

/** One person in the channel who is there again as soon as the server is. */
class Person {
  readonly lines: Line[] = []
  readonly client: Client
  readonly #channel: string

  constructor(login: Login, channel: string) {
    this.#channel = channel
    this.client = new Client(login, { line: line => this.lines.push(line), closed: () => undefined })
  }

  async enter(): Promise<void> {
    await this.client.login()
    this.client.write(`JOIN ${this.#channel}`)
    await this.client.wait(line => line.command === '366')
  }

  say(text: string): void {
    this.client.write(`PRIVMSG ${this.#channel} :${text}`)
  }
}

class Trial {
  readonly #instance: Instance
  readonly #here: Person
  readonly #there: Person
  #count = 0

  constructor(instance: Instance, here: Person, there: Person) {
    this.#instance = instance
    this.#here = here
    this.#there = there
  }

  /** Kills one part and resolves with how long it was away. */
  async time(part: Part): Promise<number> {
    if (part === 'redis') return this.#redis()
    if (part === 'ircd') return this.#ircd()
    const before = await until(`${part}'s process`, comesBackMs, () => this.#instance.bot(part))
    killNow(before.pid)
    const fromMs = performance.now()
    if (part === 'bridge') await this.#relayed()
    else if (part === 'oracle') await this.#ready(part, before.pid)
    else await this.#answered(part)
    const tookMs = performance.now() - fromMs
    await this.#ready(part, before.pid)
    return tookMs
  }

  #ready(bot: Bot, before: number): Promise<unknown> {
    return until(`${bot} is ready`, comesBackMs, async () => {
      const now = await this.#instance.bot(bot)
      return now !== null && now.pid !== before && now.state === 'ready'
    })
  }

  /** What is said right after the kill is seen on the other side. */
  async #relayed(): Promise<void> {
    const text = `recovery ${++this.#count}`
    const seen = this.#there.client.wait(line => lastParam(line).endsWith(text), comesBackMs)
    this.#here.say(text)
    await seen
  }

  async #answered(bot: keyof typeof asked): Promise<void> {
    const answer = this.#here.client.wait(line => line.command === 'PRIVMSG' && line.nick === bot, comesBackMs)
    this.#here.say(asked[bot])
    await answer
  }

  /** Another process answers, and all four bots listen to it. */
  async #redis(): Promise<number> {
    const before = await this.#instance.redisPid()
    killNow(before)
    const fromMs = performance.now()
    await until('Redis with all its bots', comesBackMs, async () => {
      const text = await this.#instance.redis('PUBSUB NUMPAT').catch(() => '')
      return Number(/^:(\d+)/m.exec(text)?.[1] ?? 0) >= 1 && (await this.#clients()) >= bots.length
    })
    return performance.now() - fromMs
  }

  async #clients(): Promise<number> {
    const text = await this.#instance.redis('CLIENT LIST TYPE pubsub').catch(() => '')
    return [...text.matchAll(/ psub=1 /g)].length
  }

  /** All four nicks are in the channel again and logged in to their accounts. */
  async #ircd(): Promise<number> {
    killNow(this.#instance.ircd())
    const fromMs = performance.now()
    await persist(() => this.#here.enter(), AbortSignal.timeout(comesBackMs))
    for (const bot of bots) await until(`${bot} is back`, comesBackMs, () => this.#loggedIn(bot))
    return performance.now() - fromMs
  }

  async #loggedIn(nick: string): Promise<boolean> {
    const from = this.#here.lines.length
    this.#here.client.write(`WHOIS ${nick}`)
    await this.#here.client.wait(line => line.command === '318')
    const told = this.#here.lines.slice(from)
    const inside = told.some(line => line.command === '319' && lastParam(line).includes(this.#instance.channel))
    return inside && told.some(line => line.command === '330')
  }
}

async function personOn(instance: Instance, side: 'irc' | 'ext', login: Login): Promise<Person> {
  const person = new Person(login, instance.channel)
  await person.enter()
  if (side === 'ext') return person
  await until('all personas', comesBackMs, async () => {
    person.client.write(`NAMES ${instance.channel}`)
    const from = person.lines.length
    await person.client.wait(line => line.command === '366')
    const names = person.lines.slice(from).find(line => line.command === '353')
    return names !== undefined && bots.every(bot => lastParam(names).includes(bot))
  })
  return person
}

export async function recoveryTimes({ rounds, servers, say }: RecoveryOptions): Promise<Times> {
  const instance = await Instance.start({ managed: servers[0], external: servers[1], config: unlimited })
  const times: Record<Part, number[]> = { bridge: [], admin: [], oracle: [], scribe: [], redis: [], ircd: [] }
  let people: Person[] = []
  try {
    const here = await personOn(instance, 'irc', await instance.owner())
    const there = await personOn(instance, 'ext', await instance.account('ext', 'seer'))
    people = [here, there]
    const trial = new Trial(instance, here, there)
    for (let round = 0; round < rounds; round++) {
      for (const part of parts) {
        await sleep(pauseMs)
        times[part].push(await trial.time(part))
        say(`${part.padEnd(7)} ${times[part].at(-1)?.toFixed(0)} ms`)
      }
    }
    return times
  } finally {
    for (const person of people) person.client.close()
    await instance.close()
  }
}

if (import.meta.main) {
  const { rounds, servers } = optionsOf({ rounds: 20, servers: 'ergo,inspircd' })
  const times = await recoveryTimes({ rounds, servers: twoServers(servers), say: text => console.log(text) })
  for (const part of parts) {
    const sorted = [...times[part]].sort((a, b) => a - b)
    console.log(
      `${part.padEnd(7)} median ${median(sorted).toFixed(0)} ms, longest ${sorted.at(-1)?.toFixed(0)} ms of ${sorted.length}`,
    )
  }
}
