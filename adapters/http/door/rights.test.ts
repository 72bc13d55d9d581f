/** Whatever ends somebody's rights in a room ends what their keys get of it, at that moment. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { WebSocket } from 'ws'
import { enrol } from '../../../bots/admin/fleet/testing.ts'
import { until } from '../../../bots/bridge/testing.ts'
import { apiKeyHash } from '../../../core/access/api-keys.ts'
import type { Role } from '../../../core/access/role.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { agentNamed, editAgent, setAgentState } from '../../../core/ledger/agents/agents.ts'
import { dropIdentity, type Person, personFor } from '../../../core/ledger/people/people.ts'
import { grant, revoke } from '../../../core/ledger/people/roles.ts'
import { type ApiKey, keyOfAccount, revokeKey, rotateKey } from '../../../core/ledger/settings/api-keys.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { callMcp } from '../testing/mcp.ts'
import { Source } from '../testing/source.ts'
import { openWorld, type World, web } from '../testing/world.ts'

interface Way {
  readonly how: string
  /** What somebody has of the room: they are in its channel, or operate it. */
  readonly has: (world: World, who: string) => Promise<void>
  readonly role?: Role | 'agent'
  /** Ends it. */
  readonly end: (world: World, who: string) => unknown
  /** The key counts no more: its streams end. */
  readonly cut?: true
}

const chat = 'chat' as NetworkId
const account = (who: string) => `${who}-key` as UserId
const write = (world: World, work: (tx: Tx) => void): Promise<void> => world.house.ledger.write(work)
const personOf = (tx: Tx, who: string): Person => personFor(tx, chat, who as UserId, who, Date.now())
const change = (world: World, who: string, how: (tx: Tx, key: ApiKey) => void): Promise<void> =>
  write(world, tx => how(tx, keyOfAccount(tx, web, account(who)) as ApiKey))

/** Closed channels are kept by the server, which lets in whom it is told to. */
async function joins({ house }: World, who: string): Promise<void> {
  const server = house.server('a')
  await until(() => server.channel('#ops').admitted?.has(who), `${who} to be admitted`)
  server.user(who).join('#ops')
}
const operates = (world: World, who: string): Promise<void> => world.house.grant('chat', who, 'operator', 'ops')
const works = async (world: World, who: string): Promise<void> => {
  await write(world, tx => enrol(tx, who, { channels: ['#ops'] }))
  await joins(world, who)
}
const soonMs = 1500
const soon = new Map<string, number>()
/** It ends while everybody watches. */
const passes = (_world: World, who: string): Promise<true> =>
  until(() => Date.now() > (soon.get(who) ?? 0) || null, 'the end of the time')
const inAWhile = (who: string): number => {
  soon.set(who, Date.now() + soonMs)
  return soon.get(who) as number
}

const ways: readonly Way[] = [
  {
    how: 'the role in the room is revoked',
    has: operates,
    role: 'guest',
    end: (world, who) => write(world, tx => void revoke(tx, personOf(tx, who), 'ops')),
  },
  {
    how: 'the role in the room is over',
    has: (world, who) =>
      write(world, tx =>
        grant(
          tx,
          { person: personOf(tx, who), room: 'ops', role: 'operator', untilMs: inAWhile(who) },
          't',
          Date.now(),
        ),
      ),
    role: 'guest',
    end: passes,
  },
  {
    how: 'the membership is revoked',
    has: joins,
    end: (world, who) => write(world, tx => void revoke(tx, personOf(tx, who), '')),
  },
  { how: 'they leave', has: joins, end: (world, who) => world.house.server('a').user(who).leave('#ops') },
  {
    how: 'the account is nobody’s any more',
    has: joins,
    end: (world, who) => write(world, tx => dropIdentity(tx, web, account(who))),
    cut: true,
  },
  {
    how: 'the key is revoked',
    has: joins,
    end: (world, who) => change(world, who, (tx, key) => revokeKey(tx, key, Date.now())),
    cut: true,
  },
  {
    how: 'the key gets another secret',
    has: joins,
    end: (world, who) => change(world, who, (tx, key) => rotateKey(tx, { ...key, hash: apiKeyHash('another') })),
    cut: true,
  },
  {
    how: 'the engagement is taken back and the account suspended',
    has: works,
    role: 'agent',
    end: (world, who) => write(world, tx => setAgentState(tx, who, 'revoked', null, Date.now())),
    cut: true,
  },
  {
    how: 'the engagement is over',
    has: async (world, who) => {
      await write(world, tx => enrol(tx, who, { channels: ['#ops'], expiresMs: inAWhile(who) }))
      await joins(world, who)
    },
    role: 'agent',
    end: passes,
    cut: true,
  },
  {
    how: 'the engagement names the channel no more',
    has: works,
    role: 'agent',
    end: (world, who) =>
      write(world, tx => {
        const agent = agentNamed(tx, who)
        if (agent) editAgent(tx, { ...agent, channels: ['#general'] }, Date.now())
      }),
  },
  {
    how: 'the room is closed',
    has: (world, who) => configured(world, 'rooms.ops.open', true, who, true),
    role: 'guest',
    end: (world, who) => configured(world, 'rooms.ops.open', false, who, false),
  },
]

/** Changes a setting; resolves when the bridge has it. */
async function configured(world: World, key: string, value: unknown, who: string, sees: boolean): Promise<void> {
  const owner = await world.key('olga', 'owner')
  const { json } = await world.command('config.set', owner, { key, value: JSON.stringify(value) })
  assert.ok(json.done, JSON.stringify(json))
  const theirs = keys.get(who) as string
  await until(
    async () => {
      const { json } = await world.call<{ channels: string[] }>('GET', '/v1/channels', theirs)
      return json.channels.includes('ops') === sees
    },
    `that ops is ${sees ? 'open' : 'closed'}`,
  )
}

const keys = new Map<string, string>()

/** A reader by WebSocket. */
class Socket {
  readonly texts: string[] = []
  ended = false
  readonly #socket: WebSocket

  constructor(url: string, key: string) {
    this.#socket = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, ['chanop.v1', `bearer.${key}`])
    this.#socket.on('message', data => {
      const { text } = JSON.parse((data as Buffer).toString()) as { text?: string }
      if (text !== undefined) this.texts.push(text)
    })
    this.#socket.once('close', () => (this.ended = true))
  }

  opened = (): Promise<unknown> =>
    new Promise((resolve, reject) => this.#socket.once('open', resolve).once('error', reject))

  close(): void {
    this.#socket.terminate()
  }
}

describe('rights in a room end', () => {
  let world: World
  const closing: (() => void | Promise<void>)[] = []
  before(async () => {
    world = await openWorld({ after: done => closing.push(done) })
  })
  after(async () => {
    for (const done of closing) await done()
  })

  /** The room as a resource of MCP; null: it is refused. */
  async function resource(key: string): Promise<string | null> {
    const { result } = await callMcp(world, key, 'resources/read', { uri: 'chanop://rooms/ops' })
    return result ? JSON.stringify(result) : null
  }

  ways.forEach(({ how, has, role = 'member', end, cut }, at) => {
    it(`when ${how}`, async () => {
      const who = `who-${at}`
      const bob = world.house.server('a').user('bob')
      for (const channel of ['#ops', '#general']) bob.join(channel)
      if (role !== 'agent') keys.set(who, await world.key(who, role, { account: account(who) }))
      await has(world, who)
      if (role === 'agent') keys.set(who, await world.key(who, role, { account: account(who) }))
      const key = keys.get(who) as string
      await until(async () => (await world.call('GET', '/v1/channels/ops/messages', key)).status === 200, 'the right')
      const [events, socket] = [await new Source().open(world, key), new Socket(world.url, key)]
      await socket.opened()
      const both = (text: string): boolean => events.texts.includes(text) && socket.texts.includes(text)
      bob.say('#ops', `before ${at}`)
      await until(() => both(`before ${at}`), 'what is said before')
      assert.match((await resource(key)) ?? '', new RegExp(`before ${at}`))

      await end(world, who)
      bob.say('#ops', `after ${at}`)
      bob.say('#general', `for all ${at}`)
      if (cut) await until(() => events.ended && socket.ended, 'the end of the streams')
      else await until(() => both(`for all ${at}`), 'what all may read')
      assert.ok(![...events.texts, ...socket.texts].includes(`after ${at}`), 'nothing more of the room')
      assert.equal((await world.call('GET', '/v1/channels/ops/messages', key)).status, cut ? 401 : 404)
      assert.equal(await resource(key), null)
      events.close()
      socket.close()
    })
  })
})
