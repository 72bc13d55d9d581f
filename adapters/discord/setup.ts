import type { SetupStep } from '../../core/adapter.ts'

/** What `!network add` asks for. */
export const setup: readonly SetupStep[] = [
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
]
