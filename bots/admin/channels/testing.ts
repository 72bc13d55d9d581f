/** For tests: a house with bridge and admin in it, types of channels, and agents with accounts. */
import { House } from '../../../test/house.ts'
import { runBridge } from '../../bridge/run.ts'
import { runAdmin } from '../admin.ts'

const config = `
owner: chat:olga
networks:
  chat: { kind: memory, server: '{server}-a', channels: ['#general', '#ops'] }
  other: { kind: memory, server: '{server}-b', channels: ['#general'] }
rooms:
  general: { places: ['chat:#general', 'other:#general'], open: true }
  ops: { places: ['chat:#ops'] }
commands: { perMinute: 6000, burst: 1000 }
channels:
  types:
    task-: { modes: '+i', ttl: 3h, join: ['@worker'], greeting: 'Welcome {nick}: one task, in {channel} alone' }
`

export async function openHouse(t: { after(done: () => void | Promise<void>): void }): Promise<House> {
  const house = new House(t, { config })
  await house.run('bridge', runBridge)
  await house.run('admin', runAdmin)
  return house
}

/** Writes the record of an active agent, as `register` would leave it. */
export async function engage(
  house: House,
  name: string,
  over: {
    readonly type?: string
    readonly channels?: readonly string[]
    readonly permissions?: readonly string[]
  } = {},
): Promise<void> {
  const { type = 'worker', channels = ['*'], permissions = [] } = over
  await house.ledger.write(db => {
    db.prepare(
      `INSERT INTO agent (name, network, type, owner, state, channels, permissions, skills, rate, created_ms, changed_ms,
       created_by) VALUES (?, 'chat', ?, 'chat:olga', 'active', ?, ?, '[]', '{"count":5,"perMs":1000}', 0, 0, 'olga')`,
    ).run(name, type, JSON.stringify(channels), JSON.stringify(permissions))
  })
}
