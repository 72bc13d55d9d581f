/** For tests: a house with bridge and admin in it, types of channels, and agents with accounts. */
import type { Agent } from '../../../core/ledger/agents/agents.ts'
import { type Closing, House, plainConfig } from '../../../test/house.ts'
import { runBridge } from '../../bridge/run.ts'
import { runAdmin } from '../admin.ts'
import { enrol } from '../fleet/testing.ts'

const config = `${plainConfig}commands: { perMinute: 6000, burst: 1000 }
channels:
  types:
    task-: { modes: '+i', ttl: 3h, join: ['@worker'], greeting: 'Welcome {nick}: one task, in {channel} alone' }
`

export async function openHouse(t: Closing): Promise<House> {
  const house = new House(t, { config })
  await house.run('bridge', runBridge)
  await house.run('admin', runAdmin)
  return house
}

/** Writes the record of an active agent, as `register` would leave it. */
export const engage = (house: House, name: string, over: Partial<Agent> = {}): Promise<void> =>
  house.ledger.write(db => enrol(db, name, over))
