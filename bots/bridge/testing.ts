/** For tests: houses with one room in several places, and looks into the ledger. */
import type { NativeMessage } from '../../adapters/memory/native.ts'
import type { MemoryPlatform } from '../../adapters/memory/platform.ts'
import { sql } from '../../core/ledger/sqlite.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import { deadline, sleep } from '../../core/retry.ts'
import { House } from '../../test/house.ts'
import type { Bridge, BridgeOptions } from './bridge.ts'

interface Closing {
  after(done: () => void | Promise<void>): void
}

export const hall = '#hall'

/** One room in as many places as there are letters, each on a server of its own; `joins` are shown. `plain`: those without threads. */
export const hallConfig = (letters: string, more = '', plain = ''): string => {
  const names = letters.split('')
  const without = (name: string): string => (plain.includes(name) ? ', threads: false' : '')
  const networks = names.map(
    name => `  ${name}: { kind: memory, server: '{server}-${name}', channels: ['${hall}']${without(name)} }`,
  )
  const places = names.map(name => `'${name}:${hall}'`)
  return `
owner: a:olga
networks:
${networks.join('\n')}
rooms:
  hall: { places: [${places.join(', ')}], open: true, joins: true }
${more}`
}

export interface Hall {
  readonly house: House
  readonly bridge: Bridge
  readonly servers: readonly MemoryPlatform[]
}

/** A bridge at work on such a room. */
export async function openHall(
  t: Closing,
  letters = 'abc',
  options: BridgeOptions & { more?: string; plain?: string } = {},
): Promise<Hall> {
  const house = new House(t, { config: hallConfig(letters, options.more, options.plain), aside: true })
  const bridge = await house.bridge(options)
  const servers = letters.split('').map(letter => house.server(letter))
  await Promise.all(servers.map(server => server.ready()))
  return { house, bridge, servers }
}

/** Looks until there is an answer that is neither false nor undefined nor null. */
export async function until<T>(
  look: () => T | Promise<T>,
  what: string,
  deadlineMs = 45_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const end = deadline(deadlineMs)
  for (;;) {
    const found = await look()
    if (found !== false && found !== undefined && found !== null) return found as NonNullable<Exclude<T, false>>
    if (end.aborted) throw new Error(`did not come in ${deadlineMs} ms: ${what}`)
    await sleep(5, end)
  }
}

/** Resolves once nothing is left to be delivered or ordered. */
export const settled = (house: House): Promise<true> =>
  until(
    () =>
      house.ledger.read(db => {
        const open =
          'SELECT (SELECT count(*) FROM delivery WHERE state BETWEEN 1 AND 9) + (SELECT count(*) FROM orders WHERE state < 10) AS n'
        return Number(sql(db, open).get()?.['n']) === 0 ? (true as const) : null
      }),
    'an end of all deliveries and orders',
  )

/** What our account said in a channel, as it reads now: `name: text`. */
export const copies = (server: MemoryPlatform, channel: string = hall): string[] =>
  server
    .channel(channel)
    .messages.filter(message => message.by === 'chanop' && !message.deleted)
    .map(message => `${message.name}: ${message.text}`)

export const copyOf = (server: MemoryPlatform, text: string, channel: string = hall): NativeMessage | undefined =>
  server.channel(channel).messages.find(message => message.by === 'chanop' && message.text === text)

export interface DeliveryRow {
  readonly id: number
  readonly state: number
  readonly attempts: number
  readonly error: string | null
  readonly act: string
}

export const deliveries = (house: House): Promise<DeliveryRow[]> =>
  house.ledger.read(
    (db: Tx) => sql(db, 'SELECT id, state, attempts, error, act FROM delivery ORDER BY id').all() as never,
  )
