import { z } from 'zod'
import { reference, tokenAddress } from '../../core/config/fields.ts'

/** One app in one Slack workspace, in socket mode. */
export const slackSchema = z.strictObject({
  kind: z.literal('slack'),
  /** The bot token, `xoxb-…`. */
  token: reference,
  /** The app-level token with `connections:write`, `xapp-…`. */
  appToken: reference,
  api: tokenAddress('https://')
    .transform(url => `${url.replace(/\/+$/, '')}/`)
    .default('https://slack.com/api/'),
  channels: z
    .array(z.string().regex(/^[CG][A-Z0-9]{2,}$/, "write the channel's id, e.g. C0123456789 (channel details → About)"))
    .default([]),
  /** The slash command of the app's manifest. */
  command: z
    .string()
    .regex(/^\/[a-z0-9_-]{1,31}$/, 'write a slash command, e.g. /chanop')
    .default('/chanop'),
})
export type SlackConfig = z.output<typeof slackSchema>
