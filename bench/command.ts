/** From a command typed in the channel to its answer there. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Instance } from '../test/instance.ts'
import { say, spread, whole } from './figures.ts'
import { Talker } from './talk.ts'

const answerMs = 10_000
/** The owner may say so many at once before the rate limit of the configuration. */
const burst = 900
const underWay = 64

export async function benchCommand(instance: Instance, runs: number): Promise<void> {
  let answered: (() => void) | null = null
  const login = await instance.owner()
  const owner = new Talker(login, instance.channel, line => {
    if (line.includes(':admin!')) answered?.()
  })
  await owner.entered
  const once = (): Promise<number> => {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const timer = setTimeout(() => reject(new Error('!version was not answered')), answerMs)
    const fromMs = performance.now()
    answered = () => {
      clearTimeout(timer)
      resolve(performance.now() - fromMs)
    }
    owner.say('!version')
    return promise
  }
  for (let run = 1; run <= runs; run++) {
    const times: number[] = []
    for (let n = 0; n < 200; n++) {
      times.push(await once())
      await wait(15)
    }
    say(`!version, run ${run}: one at a time`, spread(times.slice(20)))
    await wait(8000)
    say(
      `!version, run ${run}: ${underWay} under way`,
      `${whole(await rate(owner, heard => (answered = heard)))} per second`,
    )
    await wait(8000)
  }
  owner.socket.destroy()
}

async function rate(owner: Talker, listen: (heard: () => void) => void): Promise<number> {
  const done = Promise.withResolvers<void>()
  let [said, heard] = [0, 0]
  const next = (): void => {
    if (said++ < burst) owner.say('!version')
  }
  listen(() => {
    if (++heard === burst) done.resolve()
    else next()
  })
  const fromMs = performance.now()
  for (let n = 0; n < underWay; n++) next()
  await Promise.race([done.promise, wait(30_000)])
  return (heard * 1000) / (performance.now() - fromMs)
}
