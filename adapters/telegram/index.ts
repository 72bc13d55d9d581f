import type { AdapterKind } from '../../core/adapter.ts'
import { type TelegramConfig, telegramSchema } from './config.ts'

export const telegram: AdapterKind<TelegramConfig> = {
  kind: 'telegram',
  schema: telegramSchema,
  setup: [
    {
      key: 'token',
      ask: 'In Telegram, write to @BotFather (https://t.me/BotFather): /newbot, then /setprivacy, your bot, Disable. Send me the token that it gave you. Add the bot to your groups then: !network show names them.',
      secret: true,
      example: '123456789:AAF…',
    },
  ],
  probe: async (config, context) => (await import('./probe.ts')).probe(config, context),
  create: async (config, context) => (await import('./adapter.ts')).createTelegramAdapter(config, context),
}
