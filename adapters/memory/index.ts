import type { AdapterKind } from '../../core/adapter.ts'
import { type MemoryConfig, memorySchema } from './config.ts'

export const memory: AdapterKind<MemoryConfig> = {
  kind: 'memory',
  schema: memorySchema,
  managed: () => true,
  create: async (config, context) => (await import('./adapter.ts')).createMemoryAdapter(config, context),
}
