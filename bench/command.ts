/** From a command typed in the channel to its answer there; beside it a bot on a bare socket that only echoes what it is told privately. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Instance } from '../test/instance.ts'
import { quantile, say, spread, whole } from './figures.ts'
import { Talker } from './talk.ts'

const answerMs = 10_000
const oneByOne = 200
/** Left out at the beginning: the first ones find cold code. */
const warm = 20
/** Fewer than one person may say at once by the limits of `bench/main.ts`. */
const together = 4000
const underWay = 64
const people = 8

/** Several people in the channel, and what is called at each answer of `admin` or of the bot that echoes. */
class Crowd {
  answered: () => void = () => undefined
  readonly #people: Talker[] = []
  #turn = 0

  static async enter(instance: Instance): Promise<Crowd> {
    const crowd = new Crowd()
    for (let n = 0; n < people; n++) {
      const login = await instance.account('irc', `asker${n}`)
      const hear = (line: string): void => {
        if (/^(?:@\S+ )?:(?:admin|echo)!/.test(line)) crowd.answered()
      }
      crowd.#people.push(new Talker(login, instance.channel, n === 0 ? hear : () => undefined))
    }
    const echo: Talker = new Talker(await instance.account('irc', 'echo'), instance.channel, line => {
      if (line.includes(' PRIVMSG echo ')) echo.write('PRIVMSG asker0 :echoed')
    })
    crowd.#people.push(echo)
    await Promise.all(crowd.#people.map(one => one.entered))
    return crowd
  }

  /** The next of them asks. */
  ask(): void {
    this.#people[this.#turn++ % people]?.say('!version')
  }

  askEcho(): void {
    this.#people[0]?.write('PRIVMSG echo :say it again')
  }

  leave(): void {
    for (const one of this.#people) one.socket.destroy()
  }
}

function once(crowd: Crowd, ask: () => void): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const timer = setTimeout(() => reject(new Error('nobody answered')), answerMs)
  const fromMs = performance.now()
  crowd.answered = () => {
    clearTimeout(timer)
    resolve(performance.now() - fromMs)
  }
  ask()
  return promise
}

async function oneAfterAnother(crowd: Crowd, ask: () => void): Promise<number[]> {
  const timesMs: number[] = []
  for (let n = 0; n < oneByOne; n++) {
    timesMs.push(await once(crowd, ask))
    await wait(15)
  }
  return timesMs.slice(warm)
}

async function perSecond(crowd: Crowd): Promise<number> {
  const done = Promise.withResolvers<void>()
  let [said, heard] = [0, 0]
  const next = (): void => {
    if (said++ < together) crowd.ask()
  }
  crowd.answered = () => {
    if (++heard === together) done.resolve()
    else next()
  }
  const fromMs = performance.now()
  for (let n = 0; n < underWay; n++) next()
  await Promise.race([done.promise, wait(60_000, undefined, { ref: false })])
  return (heard * 1000) / (performance.now() - fromMs)
}

export async function benchCommand(instance: Instance, runs: number): Promise<void> {
  const crowd = await Crowd.enter(instance)
  for (let run = 1; run <= runs; run++) {
    const echoedMs = await oneAfterAnother(crowd, () => crowd.askEcho())
    const answeredMs = await oneAfterAnother(crowd, () => crowd.ask())
    const ratio = quantile(answeredMs, 0.5) / quantile(echoedMs, 0.5)
    say(`a bot that echoes, run ${run}: one at a time`, spread(echoedMs))
    say(`!version, run ${run}: one at a time`, `${spread(answeredMs)}; p50 ${ratio.toFixed(1)} × the echo`)
    const rate = await perSecond(crowd)
    say(`!version, run ${run}: ${people} people, ${underWay} under way`, `${whole(rate)} per second`)
    await wait(10_000)
  }
  crowd.leave()
}
