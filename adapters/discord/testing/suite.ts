/** For suites: a fake with one person in one channel, and the adapters that listen there. */
import assert from 'node:assert/strict'
import { after, afterEach, before } from 'node:test'
import type { RecordBook } from '../../../core/contract/record.ts'
import type { ChatEvent, MessageEvent } from '../../../core/event.ts'
import { plain } from '../../../core/text/text.ts'
import { DiscordFake } from './fake.ts'
import type { Channel, Message, User } from './objects.ts'
import { Trial } from './trial.ts'

export class Suite {
  fake!: DiscordFake
  general!: Channel
  alice!: User
  /** Those that run; they are stopped after each test. */
  readonly trials: Trial[] = []

  /** Made before the first test of the file that calls this, which `made` is told then; gone after the last. */
  static open(made: (suite: Suite) => void): Suite {
    const suite = new Suite()
    before(async () => {
      await suite.#begin()
      made(suite)
    })
    afterEach(async () => {
      for (const trial of suite.trials.splice(0)) await trial.stop()
    })
    after(async () => {
      await suite.fake.stop()
      assert.deepEqual(suite.fake.faults, [])
    })
    return suite
  }

  async #begin(): Promise<void> {
    this.fake = await DiscordFake.start()
    this.alice = this.fake.world.user('alice', { global_name: 'Alice', avatar: 'aaaa' })
    this.fake.world.enter(this.alice)
    this.general = this.fake.world.channel('general')
  }

  readonly start = async (more: object = {}, book?: RecordBook): Promise<Trial> => {
    const trial = await Trial.start(this.fake, { channels: [this.general.id], ...more }, book ? { book } : {})
    this.trials.push(trial)
    return trial
  }

  readonly say = (
    content: string,
    more: Parameters<DiscordFake['world']['post']>[2] = {},
    by = this.alice,
    where = this.general,
  ): Message => this.fake.world.post(where, by, { content, ...more })
}

export const hears = (trial: Trial, pattern: RegExp): Promise<MessageEvent> =>
  trial.book.until(
    () => trial.book.messages().find(({ content }) => pattern.test(plain(content))),
    `a message like ${pattern}`,
  )

export const told = <K extends ChatEvent['kind']>(trial: Trial, kind: K): Extract<ChatEvent, { kind: K }>[] =>
  trial.book.facts.filter((fact): fact is Extract<ChatEvent, { kind: K }> => fact.kind === kind)
