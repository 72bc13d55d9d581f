/** For tests: an instance whose programs come by HTTP, on a port of its own. */
import { runAdmin } from '../../../bots/admin/admin.ts'
import { runBridge } from '../../../bots/bridge/run.ts'
import { until } from '../../../bots/bridge/testing.ts'
import { apiKeyHash, newApiKey, prefixOf, scopes } from '../../../core/access/api-keys.ts'
import type { Role } from '../../../core/access/role.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { addIdentity, personFor } from '../../../core/ledger/people/people.ts'
import { type ApiKey, insertKey } from '../../../core/ledger/settings/api-keys.ts'
import { networkStatuses } from '../../../core/ledger/settings/networks.ts'
import { House } from '../../../test/house.ts'

interface Closing {
  after(done: () => void | Promise<void>): void
}

export interface WorldOptions {
  /** More keys of the section of the network, e.g. `perMinute: 5`. */
  readonly http?: string
  /** More of the configuration. */
  readonly more?: string
  readonly env?: Readonly<Record<string, string>>
}

/** A test asks a lot from one address. */
const manyStrangers = 'perAddressPerMinute: 100000'

export const config = ({ http = manyStrangers, more = '' }: WorldOptions): string => `
owner: chat:olga
networks:
  chat: { kind: memory, server: '{server}-a', channels: ['#general', '#ops', '#den'] }
  plain: { kind: memory, server: '{server}-b', channels: ['#general'] }
  web: { kind: http, listen: '127.0.0.1:0', ${/perAddress/.test(http) ? http : `${http}, ${manyStrangers}`} }
rooms:
  general: { places: ['chat:#general', 'plain:#general'], open: true }
  ops: { places: ['chat:#ops'] }
commands: { perMinute: 6000, burst: 1000 }
${more}
`

export const web = 'web' as NetworkId

/** Of a command's answer, or of a problem. */
export interface Body {
  readonly id: string
  readonly done: boolean
  readonly lines: readonly string[]
  readonly data: readonly { readonly network: string }[]
  readonly secrets: readonly string[]
  readonly code: string
  readonly detail: string
}

export interface Answer<T = Body> {
  readonly status: number
  readonly headers: Headers
  readonly json: T
}

export class World {
  readonly house: House
  url = ''
  #keys = 0

  constructor(house: House) {
    this.house = house
  }

  /** Waits until it listens. */
  async up(): Promise<void> {
    this.url = await until(
      () =>
        this.house.ledger.read(
          tx => networkStatuses(tx).find(({ network, state }) => network === web && state === 'up')?.address,
        ),
      'the HTTP network to be up',
    )
  }

  /** A key for a person with a role, or for an agent that is there. */
  async key(who: string, role: Role | 'agent' = 'member', more: Partial<ApiKey> = {}): Promise<string> {
    const secret = newApiKey()
    const account = (more.account ?? `key-${++this.#keys}`) as UserId
    if (role !== 'agent') await this.house.grant('chat', who, role)
    await this.house.ledger.write(tx => {
      insertKey(tx, {
        network: web,
        account,
        prefix: prefixOf(secret) as string,
        hash: apiKeyHash(secret),
        agent: role === 'agent' ? who : null,
        scopes,
        rooms: null,
        perMinute: 100_000,
        budgetUsd: null,
        forwards: false,
        createdMs: Date.now(),
        createdBy: 'test',
        untilMs: null,
        usedMs: null,
        revokedMs: null,
        ...more,
      })
      if (role === 'agent') return
      const person = personFor(tx, 'chat' as NetworkId, who as UserId, who, Date.now())
      addIdentity(tx, person, { network: web, user: account })
    })
    return secret
  }

  async call<T = Body>(
    method: string,
    path: string,
    key?: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, json: (text === '' ? null : JSON.parse(text)) as T }
  }

  command(name: string, key: string, args: unknown = {}, headers: Record<string, string> = {}): Promise<Answer> {
    return this.call('POST', `/v1/commands/${name}`, key, args, headers)
  }
}

export async function openWorld(t: Closing, options: WorldOptions = {}): Promise<World> {
  const house = new House(t, { config: config(options), env: options.env ?? {} })
  await house.run('bridge', runBridge)
  // A command would restart a process of this machine's PM2.
  await house.run('admin', context => runAdmin(context, { restart: () => undefined }))
  const world = new World(house)
  await world.up()
  return world
}
