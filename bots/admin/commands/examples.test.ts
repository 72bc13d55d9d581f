import { Catalogue } from '../../../core/command/help/published.ts'
import { channel, type Stage } from '../../../core/command/testing.ts'
import { exampleTests } from '../../../core/contract/commands.ts'
import { joinGroup, makeGroup } from '../../../core/ledger/people/groups.ts'
import { placeId } from '../../../core/ledger/record/events.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { stageContext } from '../../../test/stage.ts'
import { adminCommands } from '../admin.ts'
import { Signer } from '../agents/engagement.ts'
import { Fleet } from '../fleet/fleet.ts'
import { enrol } from '../fleet/testing.ts'
import type { AdminServices } from '../services.ts'

const status = JSON.stringify({ state: 'up', sinceMs: 0, server: 'memory', lacks: [] })

/** Two agents, one of them there, and a group. */
const staff = (stage: Stage): Promise<void> =>
  stage.ledger.write(db => {
    const place = placeId(db, channel('#general'))
    const presence = sql(db, 'INSERT INTO presence VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    for (const [name, state] of [
      ['worker-001', 'online'],
      ['worker-002', 'offline'],
    ] as const) {
      enrol(db, name, { network: 'irc' as never })
      const atMs = Date.now() - 5000
      presence.run('irc', name, state, atMs, atMs, '#general', state === 'online' ? 'join' : 'leave', name)
    }
    sql(db, 'INSERT INTO member (place, user, name, verified, since_ms) VALUES (?, ?, ?, 1, 1)').run(
      place,
      'worker-001',
      'worker-001',
    )
    sql(db, 'INSERT INTO member (place, user, name, verified, since_ms) VALUES (?, ?, ?, 1, 1)').run(
      place,
      'bob',
      'bob',
    )
    makeGroup(db, 'crew', 'alice', 1)
    joinGroup(db, 'crew', 'worker-001', 'alice', 1)
  })

exampleTests<AdminServices>('admin', async (stage, command) => {
  const { context, ...open } = await stageContext(stage, 'admin')
  await stage.ledger.write(db => sql(db, 'INSERT INTO standing VALUES (?, ?, ?)').run('irc', status, stage.nowMs))
  if (command !== 'agent list') await staff(stage)
  const services: AdminServices = {
    context,
    startedMs: stage.nowMs,
    version: '1.2.3',
    beats: new Map(),
    catalogue: new Catalogue(),
    fleet: new Fleet({ context, bridgeRuns: () => true }),
    signer: await Signer.open(context),
    program: async () => 'all is well',
    restart: () => undefined,
  }
  return { commands: adminCommands, services, front: true, close: () => open.close() }
})
