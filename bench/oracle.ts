/** From a line in a channel to the oracle's request at the model, beside what the `openai` package takes by itself. */
import OpenAI from 'openai'
import { answer, begin, delta, ModelServer, send } from '../bots/oracle/models/testing-server.ts'
import { type Instance, killNow, until } from '../test/instance.ts'
import { median, say, spread } from './figures.ts'
import { Talker } from './talk.ts'

const oneByOne = 60
/** Left out at the beginning: the first ones find cold code. */
const warm = 10
const roomsAtOnce = 50
const waitMs = 10_000
const stopRounds = 25

const rooms = Array.from({ length: roomsAtOnce }, (_, n) => `#room${n}`)
const meeting = '#room0'

/** A model that answers at once, and tells when each question reached it. */
export class TimedModel {
  readonly server: ModelServer
  /** A client broke off a request whose question begins with `slow`. */
  hungUp: ((atMs: number) => void) | undefined
  #arrived: (question: string, atMs: number) => void = () => undefined

  private constructor(server: ModelServer) {
    this.server = server
  }

  static async listen(closing: { after(done: () => void): void }): Promise<TimedModel> {
    let model: TimedModel | undefined
    const server = await ModelServer.listen(closing, (response, { body, hungUp }) => {
      const atMs = performance.now()
      const { messages } = body as { messages: { content: string }[] }
      const [, question] = /question-(\S+)$/.exec(messages.at(-1)?.content ?? '') ?? []
      if (question && model) model.#arrived(question, atMs)
      if (!question?.startsWith('slow')) return answer(response, ['Yes.'])
      send(begin(response), delta('Well. '))
      void hungUp.then(() => model?.hungUp?.(performance.now()))
    })
    model = new TimedModel(server)
    return model
  }

  /** When each of these questions arrived, in milliseconds after `ask` was called. */
  async times(questions: readonly string[], ask: () => void): Promise<number[]> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const arrived = new Map<string, number>()
    this.#arrived = (question, atMs) => {
      if (questions.includes(question) && !arrived.has(question)) arrived.set(question, atMs)
      if (arrived.size === questions.length) resolve()
    }
    const fromMs = performance.now()
    ask()
    const late = setTimeout(resolve, waitMs)
    await promise
    clearTimeout(late)
    if (arrived.size < questions.length)
      throw new Error(`${questions.length - arrived.size} questions never reached the model`)
    return [...arrived.values()].map(atMs => atMs - fromMs)
  }
}

/** What the instance needs: the model, and a room for each question at once. */
export const oracleConfig = (url: string): string => `
models: { only: { provider: openai, model: m, baseUrl: '${url}' } }
rooms: { ${rooms.map((room, n) => `r${n}: { places: ['irc:${room}'], open: true }`).join(', ')} }
`

export async function benchOracle(instance: Instance, model: TimedModel, runs: number): Promise<void> {
  let heard: () => void = () => undefined
  const login = await instance.account('irc', 'asker')
  const talker = new Talker(login, meeting, line => line.includes('Yes.') && heard())
  await talker.entered
  for (const room of rooms) talker.write(`JOIN ${room}`)
  const client = new OpenAI({ apiKey: 'none', baseURL: model.server.url, maxRetries: 0 })
  const request = (question: string): void =>
    void client.chat.completions
      .create({ model: 'm', stream: true, messages: [{ role: 'user', content: `question-${question}` }] })
      .then(async stream => {
        for await (const _part of stream);
      })
  for (let run = 1; run <= runs; run++) {
    const timesMs: number[] = []
    for (let n = 0; n < oneByOne; n++) {
      const answered = new Promise<void>(resolve => (heard = resolve))
      timesMs.push(...(await model.times([`${run}.${n}`], () => talker.say(`oracle: question-${run}.${n}`))))
      await answered
    }
    say(`line → request, run ${run}: one at a time`, spread(timesMs.slice(warm)))
    const many = rooms.map((_, n) => `${run}.m${n}`)
    const atOnce = await model.times(many, () =>
      talker.write(...rooms.map((room, n) => `PRIVMSG ${room} :oracle: question-${many[n]}`)),
    )
    const floor = await model.times(
      many.map(name => `${name}f`),
      () => many.forEach(name => request(`${name}f`)),
    )
    say(`line → request, run ${run}: ${roomsAtOnce} rooms at once`, spread(atOnce))
    say(
      `openai client alone, run ${run}: ${roomsAtOnce} at once`,
      `${spread(floor)} · ${(median(atOnce) / median(floor)).toFixed(1)} times`,
    )
  }
  talker.socket.destroy()
  await benchStops(instance, model)
}

/** From `!stop` in the channel to its answer there, and to the end of the request at the model. */
async function benchStops(instance: Instance, model: TimedModel): Promise<void> {
  let heard: (line: string) => void = () => undefined
  const login = await instance.account('irc', 'stopper')
  const talker = new Talker(login, meeting, line => heard(line))
  await talker.entered
  const round = async (name: string): Promise<{ ackMs: number; endMs: number }> => {
    await model.times([name], () => talker.say(`oracle: question-${name}`))
    const end = new Promise<number>(resolve => (model.hungUp = resolve))
    const ack = new Promise<number>(
      resolve => (heard = line => line.includes('stopping') && resolve(performance.now())),
    )
    const fromMs = performance.now()
    talker.say('!stop')
    const [ackMs, endMs] = await Promise.all([ack, end])
    return { ackMs: ackMs - fromMs, endMs: endMs - fromMs }
  }
  const rounds = async (what: string, before: () => Promise<void>): Promise<void> => {
    const done: { ackMs: number; endMs: number }[] = []
    for (let n = 0; n < stopRounds; n++) {
      await before()
      done.push(await round(`slow.${what.replaceAll(' ', '-')}.${n}`))
    }
    say(`!stop → answer, Redis ${what}`, spread(done.map(({ ackMs }) => ackMs)))
    say(`!stop → request ended, Redis ${what}`, spread(done.map(({ endMs }) => endMs)))
  }
  await rounds('up', async () => undefined)
  await rounds('killed', async () => void killNow(await instance.redisPid()))
  const pid = await until('Redis', 20_000, async () => (await instance.redisPid()) || null)
  process.kill(pid, 'SIGSTOP')
  await rounds('hung', async () => undefined).finally(() => process.kill(pid, 'SIGCONT'))
  talker.socket.destroy()
}
