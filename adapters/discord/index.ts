import type { AdapterKind } from '../../core/adapter.ts'
import { type DiscordConfig, discordSchema } from './config.ts'

export const discord: AdapterKind<DiscordConfig> = {
  kind: 'discord',
  schema: discordSchema,
  setup: [
    {
      key: 'token',
      ask: 'At https://discord.com/developers/applications press New Application, then Bot: switch on Message Content Intent and Server Members Intent, press Reset Token and give me the token.',
      secret: true,
    },
    {
      key: 'channels',
      ask: 'Ids of channels to be in besides those of rooms (Discord: User Settings, Advanced, Developer Mode; right-click a channel, Copy Channel ID), or all. Rooms add theirs by themselves.',
      optional: true,
      example: "['123456789012345678']",
    },
  ],
  probe: async (config, context) => (await import('./probe.ts')).probe(config, context),
  create: async (config, context) => new (await import('./adapter.ts')).DiscordAdapter(config, context),
}
