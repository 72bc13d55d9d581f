import type { AdapterKind, SetupStep } from '../../core/adapter.ts'
import { type SlackConfig, slackSchema } from './config.ts'

const setup: readonly SetupStep[] = [
  {
    key: 'token',
    secret: true,
    ask: 'At https://api.slack.com/apps: Create New App, From a manifest (docs/slack.md has it), then Install App. Send the Bot User OAuth Token here.',
    example: 'xoxb-…',
  },
  {
    key: 'appToken',
    secret: true,
    ask: 'On the same site: Basic Information, App-Level Tokens, Generate Token and Scopes, with the scope connections:write. Send that token.',
    example: 'xapp-…',
  },
]

export const slack: AdapterKind<SlackConfig> = {
  kind: 'slack',
  schema: slackSchema,
  setup,
  probe: async (config, context) => (await import('./probe.ts')).probe(config, context),
  create: async (config, context) => new (await import('./adapter.ts')).SlackAdapter(config, context),
}
