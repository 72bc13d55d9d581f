import { frontCommands } from '../../../core/command/front.ts'
import { helpCommands } from '../../../core/command/help.ts'
import { Catalogue } from '../../../core/command/published.ts'
import { exampleTests } from '../../../core/contract/commands.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { stageContext } from '../../../test/stage.ts'
import { Signer } from '../agents/engagement.ts'
import type { AdminServices } from '../services.ts'
import { about } from './about.ts'
import { agentCommands } from './agent.ts'
import { agentsCommands } from './agents.ts'
import { auditCommands } from './audit.ts'
import { configCommands } from './config.ts'
import { networkCommands } from './networks.ts'
import { peopleCommands } from './people.ts'
import { registerCommands } from './register.ts'
import { roleCommands } from './roles.ts'
import { secretCommands } from './secrets.ts'

const commands = [
  ...about,
  ...helpCommands<AdminServices>('admin'),
  ...networkCommands,
  ...roleCommands,
  ...peopleCommands,
  ...registerCommands,
  ...agentsCommands,
  ...agentCommands,
  ...configCommands,
  ...secretCommands,
  ...auditCommands,
  ...frontCommands<AdminServices>('admin'),
]

const standing = JSON.stringify({ state: 'up', sinceMs: 0, server: 'memory', lacks: [] })

exampleTests<AdminServices>('admin', async stage => {
  const { context, ...open } = await stageContext(stage, 'admin')
  await stage.ledger.write(db => sql(db, 'INSERT INTO standing VALUES (?, ?, ?)').run('irc', standing, stage.nowMs))
  const services = {
    context,
    startedMs: stage.nowMs,
    version: '1.2.3',
    beats: new Map(),
    catalogue: new Catalogue(),
    signer: await Signer.open(context),
    program: async () => 'all is well',
    restart: () => undefined,
  }
  return { commands, services: services as unknown as AdminServices, front: true, close: () => open.close() }
})
