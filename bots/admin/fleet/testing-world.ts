/** A house with the bridge and admin in it, for conversations with a fleet. */
import type { MemoryUser } from '../../../adapters/memory/person.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { type Closing, House } from '../../../test/house.ts'
import { until } from '../../../test/instance.ts'
import { runBridge } from '../../bridge/run.ts'
import { runAdmin } from '../admin.ts'
import { agentIn } from './testing.ts'

const often = 'perPersonPerMinute: 600, perRoomPerMinute: 600'
const manyCommands = 'commands: { perMinute: 6000, burst: 1000 }'

const config = (fleet: string, commands: string): string => `
owner: chat:olga
networks:
  chat: { kind: memory, server: '{server}-a', channels: ['#general', '#ops', '#side'] }
  other: { kind: memory, server: '{server}-b', channels: ['#general'] }
rooms:
  general: { places: ['chat:#general', 'other:#general'], open: true }
  ops: { places: ['chat:#ops'] }
  side: { places: ['chat:#side'] }
${commands}
fleet: { ${fleet.includes('perPerson') ? fleet : `${often}${fleet === '' ? '' : `, ${fleet}`}`} }
`

export interface World {
  readonly house: House
  /** A member, in #general. */
  readonly alice: MemoryUser
  readonly stopAdmin: () => Promise<void>
  readonly stopBridge: () => Promise<void>
}

export async function openWorld(t: Closing, fleet = '', commands = manyCommands): Promise<World> {
  const house = new House(t, { config: config(fleet, commands) })
  const stopBridge = await house.run('bridge', runBridge)
  const stopAdmin = await house.run('admin', runAdmin)
  await house.grant('chat', 'alice', 'member')
  const alice = house.server('a').user('alice')
  alice.join('#general')
  house.server('a').user('olga').join('#ops')
  return { house, alice, stopAdmin, stopBridge }
}

/** Until the server lets somebody into a closed channel. */
export const admittedTo = (house: House, channel: string, name: string): Promise<unknown> => {
  const { watch } = house.server('a')
  const admitted = (): true | undefined => house.server('a').channel(channel).admitted?.has(name) || undefined
  return watch.until(admitted, `${name} to be admitted to ${channel}`, 5000)
}

/** Until the ledger lists everybody as a member who is to be there. */
export const listed = (house: House, ...names: readonly string[]): Promise<unknown> =>
  until(`members ${names.join()}`, 5000, () =>
    house.ledger.read(db => {
      const rows = sql(db, 'SELECT DISTINCT user FROM member').all()
      const found = new Set(rows.map(row => row['user']))
      return names.every(name => found.has(name))
    }),
  )

export async function workers(house: House, ...names: readonly string[]): Promise<MemoryUser[]> {
  const found: MemoryUser[] = []
  for (const name of names) found.push(await agentIn(house, name))
  await listed(house, ...names)
  return found
}
