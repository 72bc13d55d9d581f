import type { AdapterKind } from '../../core/adapter.ts'
import { type IrcConfig, ircSchema } from './config.ts'

export const irc: AdapterKind<IrcConfig> = {
  kind: 'irc',
  schema: ircSchema,
  managed: ({ managed }) => managed,
  create: async (config, context) => (await import('./adapter.ts')).createIrcAdapter(config, context),
}
