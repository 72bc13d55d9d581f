import type { AdapterKind } from '../../core/adapter.ts'
import { type MemoryConfig, memorySchema } from './config.ts'

export const memory: AdapterKind<MemoryConfig> = {
  kind: 'memory',
  schema: memorySchema,
  managed: ({ managed }) => managed,
  unlisted: true,
  setup: [
    {
      key: 'server',
      ask: 'The name of a server in this process; networks that name the same one meet there.',
      optional: true,
    },
    {
      key: 'token',
      ask: 'What the server asks for at the login, if it asks for anything.',
      secret: true,
      optional: true,
    },
  ],
  probe: async (config, context) => (await import('./probe.ts')).probe(config, context),
  create: async (config, context) => (await import('./adapter.ts')).createMemoryAdapter(config, context),
}
