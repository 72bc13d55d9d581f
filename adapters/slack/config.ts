import { z } from 'zod'
import { holdsLogin, isReadable, noLogin } from '../../core/loopback.ts'

const reference = z.string().regex(/^(env|secret):[A-Za-z_][A-Za-z0-9_.-]*$/, 'write env:NAME or secret:NAME')

/** Tokens cross the network with every call. */
const endpoint = z
  .url({ protocol: /^https?$/, error: 'write a URL that begins with https://' })
  .refine(url => !holdsLogin(url), noLogin)
  .refine(
    url => !isReadable(url),
    'tokens would cross the network readable: write https://… (http:// is for this machine alone)',
  )

/** One app in one Slack workspace, in socket mode. */
export const slackSchema = z.strictObject({
  kind: z.literal('slack'),
  /** The bot token, `xoxb-…`. */
  token: reference,
  /** The app-level token with `connections:write`, `xapp-…`. */
  appToken: reference,
  /** Where the Web API is. */
  api: endpoint.default('https://slack.com/api/'),
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
