import { z } from 'zod'
import { holdsLogin, isReadable, noLogin } from '../../core/loopback.ts'

const reference = z.string().regex(/^(env|secret):[A-Za-z_][A-Za-z0-9_.-]*$/, 'write env:NAME or secret:NAME')
/** YAML reads a bare id as a number and rounds it: ids are written in quotes. */
const snowflake = z
  .string({ error: "write the id in quotes, e.g. '123456789012345678'" })
  .regex(/^\d{17,20}$/, 'write an id of 17 to 20 digits in quotes: Developer Mode on, right-click, Copy ID')
const address = (protocol: RegExp, begins: string) =>
  z
    .url({ protocol, error: `write an address that begins with ${begins}` })
    .refine(url => !holdsLogin(url), noLogin)
    .refine(
      url => !isReadable(url),
      `the token would cross the network readable: write ${begins}… (without TLS only to this machine)`,
    )
    .transform(url => url.replace(/\/+$/, ''))

/** A bot account on Discord. */
export const discordSchema = z.strictObject({
  kind: z.literal('discord'),
  /** The bot's token. */
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
  api: address(/^https?$/, 'https://').default('https://discord.com/api'),
  /** null: as the API says. */
  gateway: address(/^wss?$/, 'wss://')
    .nullable()
    .default(null),
  cdn: address(/^https?$/, 'https://').default('https://cdn.discordapp.com'),
})
export type DiscordConfig = z.output<typeof discordSchema>
