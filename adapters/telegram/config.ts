import { z } from 'zod'
import { reference, tokenAddress } from '../../core/config/fields.ts'

/** YAML reads an id as a number. */
const chat = z
  .union([z.int(), z.string()])
  .transform(String)
  .pipe(z.string().regex(/^-\d{1,16}$/, 'write the id of a group or channel, e.g. -1001234567890'))

/** One bot account, made with @BotFather. */
export const telegramSchema = z.strictObject({
  kind: z.literal('telegram'),
  /** As @BotFather gives it: `123456789:AA…`. */
  token: reference,
  /** Where the Bot API is: Telegram's own, or a Bot API server that somebody runs. */
  api: tokenAddress('https://').default('https://api.telegram.org'),
  /** Groups and channels that are listened to besides those of rooms. */
  channels: z.array(chat).default([]),
  /** What Telegram takes from a bot. null: no limit of our own, only what Telegram asks for. */
  rate: z
    .strictObject({
      /** Messages a second in one chat, after a burst of five. */
      chatPerSecond: z.number().positive().default(1),
      groupPerMinute: z.int().min(1).default(20),
      perSecond: z.int().min(1).default(30),
    })
    .nullable()
    .prefault({}),
  /** For how long one request for updates may wait at Telegram. */
  pollSeconds: z.int().min(1).max(50).default(50),
})
export type TelegramConfig = z.output<typeof telegramSchema>
