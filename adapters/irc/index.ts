import type { AdapterKind } from '../../core/adapter.ts'
import { type IrcConfig, ircSchema } from './config.ts'

export const irc: AdapterKind<IrcConfig> = {
  kind: 'irc',
  schema: ircSchema,
  managed: ({ managed }) => managed,
  foldsAccounts: true,
  setup: [
    { key: 'host', ask: 'The server of a network that somebody else runs.', example: 'irc.libera.chat' },
    {
      key: 'nick',
      ask: 'The nick of our bots there, registered with its services so that nobody else takes it.',
      example: 'mychanop',
    },
    {
      key: 'sasl.account',
      ask: 'The account that we log in to, with its password next.',
      optional: true,
      example: 'mychanop',
    },
    { key: 'sasl.password', ask: 'Its password.', secret: true, optional: true },
    { key: 'port', ask: 'Another port than 6697, which is with TLS.', optional: true, example: '6697' },
    {
      key: 'channels',
      ask: 'Channels to be in; those of rooms are added by themselves.',
      optional: true,
      example: '#mychannel',
    },
  ],
  create: async (config, context) => (await import('./adapter.ts')).createIrcAdapter(config, context),
}
