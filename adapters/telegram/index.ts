import type { AdapterKind } from '../../core/adapter.ts'
import { type TelegramConfig, telegramSchema } from './config.ts'

export const telegram: AdapterKind<TelegramConfig> = {
  kind: 'telegram',
  schema: telegramSchema,
  create: async (config, context) => (await import('./adapter.ts')).createTelegramAdapter(config, context),
}
