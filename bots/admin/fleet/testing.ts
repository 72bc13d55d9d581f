/** Agents on a memory server, for tests that talk to them. */
import type { MemoryUser } from '../../../adapters/memory/person.ts'
import type { NetworkId } from '../../../core/event.ts'
import { type Agent, insertAgent } from '../../../core/ledger/agents/agents.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { House } from '../../../test/house.ts'

/** The record of an agent as `register` leaves it. */
export function enrol(db: Tx, name: string, over: Partial<Agent> = {}): void {
  insertAgent(db, {
    name,
    network: 'chat' as NetworkId,
    type: 'worker',
    owner: 'chat:olga',
    state: 'active',
    channels: ['*'],
    permissions: [],
    skills: [],
    rate: { count: 100, perMs: 1000 },
    native: false,
    engagement: null,
    reason: null,
    paused: false,
    createdMs: 1,
    changedMs: 1,
    expiresMs: null,
    createdBy: 'test',
    ...over,
  })
}

/** An agent that is registered and in a channel. */
export async function agentIn(
  house: House,
  name: string,
  over: Partial<Agent> = {},
  channel = '#general',
): Promise<MemoryUser> {
  await house.ledger.write(db => enrol(db, name, over))
  const server = house.server('a')
  const user = server.user(name)
  const admits = (): true | undefined => {
    const { admitted } = server.channel(channel)
    return admitted === null || admitted.has(name) || undefined
  }
  await server.watch.until(admits, `${name} to be admitted to ${channel}`, 5000)
  user.join(channel)
  return user
}
