import { z } from 'zod'
import { reference, tokenAddress } from '../../core/config/fields.ts'

/** YAML reads a bare id as a number and rounds it: ids are written in quotes. */
const snowflake = z
  .string({ error: "write the id in quotes, e.g. '123456789012345678'" })
  .regex(/^\d{17,20}$/, 'write an id of 17 to 20 digits in quotes: Developer Mode on, right-click, Copy ID')
const address = (begins: 'https://' | 'wss://') => tokenAddress(begins).transform(url => url.replace(/\/+$/, ''))

export const discordSchema = z.strictObject({
  kind: z.literal('discord'),
  token: reference,
  /** Channels we work in besides those of rooms, or `all` that the bot can see. */
  channels: z
    .union([z.literal('all'), z.array(snowflake)], { error: 'write all, or a list of ids in quotes' })
    .default([]),
  /** The servers we work in; none: all that the bot was invited to. */
  guilds: z.array(snowflake).default([]),
  /** Ask for who joins, leaves and renames themselves: needs the Server Members Intent. */
  members: z.boolean().default(true),
  /** Show relayed people with name and picture, by a webhook of each channel. */
  webhooks: z.boolean().default(true),
  api: address('https://').default('https://discord.com/api'),
  /** null: as the API says. */
  gateway: address('wss://').nullable().default(null),
  cdn: address('https://').default('https://cdn.discordapp.com'),
})
export type DiscordConfig = z.output<typeof discordSchema>
