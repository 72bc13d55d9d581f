import type { AdapterKind } from '../../core/adapter.ts'
import { type DiscordConfig, discordSchema } from './config.ts'
import { setup } from './setup.ts'

export const discord: AdapterKind<DiscordConfig> = {
  kind: 'discord',
  schema: discordSchema,
  setup,
  probe: async (config, context) => (await import('./probe.ts')).probe(config, context),
  create: async (config, context) => (await import('./adapter.ts')).createDiscordAdapter(config, context),
}
