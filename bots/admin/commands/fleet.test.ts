import { frontCommands } from '../../../core/command/front.ts'
import { channel } from '../../../core/command/testing.ts'
import { exampleTests } from '../../../core/contract/commands.ts'
import { placeId } from '../../../core/ledger/events.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { stageContext } from '../../../test/stage.ts'
import { Signer } from '../agents/engagement.ts'
import { Fleet } from '../fleet/fleet.ts'
import { enrol } from '../fleet/testing.ts'
import type { AdminServices } from '../services.ts'
import { fleetCommands } from './fleet.ts'
import { groupCommands } from './groups.ts'
import { stopCommands } from './stop.ts'

const standing = JSON.stringify({ state: 'up', sinceMs: 0, server: 'memory', lacks: [] })
const commands = [...fleetCommands, ...groupCommands, ...stopCommands, ...frontCommands<AdminServices>('admin')]

exampleTests<AdminServices>('the fleet', async stage => {
  const staged = await stageContext(stage, 'admin')
  const { context } = staged
  await stage.ledger.write(db => {
    sql(db, 'INSERT INTO standing VALUES (?, ?, ?)').run('irc', standing, stage.nowMs)
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
    sql(db, 'INSERT INTO member VALUES (?, ?, ?, 1, 1)').run(place, 'worker-001', 'worker-001')
    for (const member of ['', 'worker-001']) sql(db, "INSERT INTO party VALUES ('crew', ?, 'alice', 1)").run(member)
  })
  const services = {
    context,
    fleet: new Fleet({ context, bridgeRuns: () => true }),
    signer: await Signer.open(context),
  }
  return { commands, services: services as unknown as AdminServices, front: true, close: () => staged.close() }
})
