import type { AdapterKind } from '../../core/adapter.ts'
import { type SlackConfig, slackSchema } from './config.ts'

export const slack: AdapterKind<SlackConfig> = {
  kind: 'slack',
  schema: slackSchema,
  create: async (config, context) => (await import('./adapter.ts')).createSlackAdapter(config, context),
}
