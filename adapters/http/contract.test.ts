import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import type { TestContext } from 'node:test'
import { until } from '../../bots/bridge/testing.ts'
import { adapterContract, type ContractFixture } from '../../core/contract/adapter.ts'
import type { UserId } from '../../core/event.ts'
import { append } from '../../core/ledger/record/events.ts'
import { sleep } from '../../core/retry.ts'
import { House } from '../../test/house.ts'
import type { HttpAdapter } from './adapter.ts'
import { ownPlace } from './place.ts'
import { adapterOf } from './testing/alone.ts'
import { World, web } from './testing/world.ts'

/** A program that says one thing after the other, each under an Idempotency-Key of its own until it is answered with 201. */
class Program {
  readonly #key: string
  readonly #signal: AbortSignal
  readonly #agent = new Agent({ keepAlive: true })
  readonly #queue: string[] = []
  #said = 0
  #works = false
  port = 0

  constructor(key: string, signal: AbortSignal) {
    this.#key = key
    this.#signal = signal
  }

  get connections(): number {
    return Object.values({ ...this.#agent.sockets, ...this.#agent.freeSockets }).flat().length
  }

  say(said: string): void {
    this.#queue.push(said)
    if (!this.#works) void this.#work()
  }

  async #work(): Promise<void> {
    this.#works = true
    for (let said = this.#queue.shift(); said !== undefined; said = this.#queue.shift()) {
      const id = `said-${++this.#said}`
      const body = JSON.stringify({ text: said })
      while (!this.#signal.aborted) {
        const status = await this.ask('POST', '', body, { 'idempotency-key': id }).then(
          answer => answer.status,
          () => 0,
        )
        if (status === 201) break
        assert.ok(status === 0 || status >= 500, `${status}: ${said}`)
        await sleep(10, this.#signal)
      }
    }
    this.#works = false
  }

  ask(
    method: string,
    query: string,
    body = '',
    more: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly status: number; readonly text: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
    const headers = {
      authorization: `Bearer ${this.#key}`,
      ...(body === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...more,
    }
    const path = `/v1/channels/@me/messages${query}`
    const asked = request({ port: this.port, agent: this.#agent, method, path, headers }, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text })).on('error', reject)
    })
    asked.on('error', reject)
    asked.end(body)
    return promise
  }
}

interface Page {
  readonly messages: readonly { readonly text: string }[]
  readonly next: number
}

async function allSeen(program: Program): Promise<string[]> {
  const texts: string[] = []
  for (let after = 0; ; ) {
    const { status, text } = await program.ask('GET', `?after=${after}&limit=500`)
    assert.equal(status, 200, text)
    const { messages, next } = JSON.parse(text) as Page
    if (messages.length === 0) return texts
    texts.push(...messages.map(message => message.text))
    after = next
  }
}

async function open(t: TestContext): Promise<ContractFixture> {
  const house = new House(t)
  const key = await new World(house).key('alice', 'member', { account: 'program' as UserId })
  const program = new Program(key, house.signal)
  let latest: HttpAdapter | undefined
  return {
    place: ownPlace(web, 'program' as UserId),
    create: async context => {
      const adapter = await adapterOf(house, context)
      latest = adapter
      const run = adapter.run.bind(adapter)
      // What is answered is looked up in the record: it stands there once the book has taken it.
      adapter.run = (sink, until) =>
        run(async events => {
          await sink(events)
          await house.ledger.write(tx => void events.map(event => append(tx, event, undefined, Date.now())))
        }, until)
      return adapter
    },
    platform: {
      strangers: false,
      keepsHistory: false,
      say: async said => program.say(said),
      present: async () => {
        program.port = latest?.port ?? 0
      },
      seen: async () => (await allSeen(program)).map(text => ({ text })),
      connections: async () => {
        await until(() => program.connections === 0, 'the connections to be closed')
        return program.connections
      },
    },
  }
}

adapterContract('http', open)
