import { z } from 'zod'
import { reference } from '../../core/config/fields.ts'
import { holdsLogin, isReadable, noLogin } from '../../core/loopback.ts'

const user = z.string().regex(/^@[^\s:]{1,250}:[^\s/]+$/, 'write a whole Matrix id, e.g. @chanop:example.org')
const channel = z
  .string()
  .regex(/^(![^\s]{1,254}|#[^\s:]{1,250}:[^\s/]+)$/, 'write an alias (#general:example.org) or a room id (!…)')
const host = z
  .string()
  .regex(/^(@[^\s:]{1,250}:)?[a-zA-Z0-9.-]+(:\d+)?$/, 'write @user:server, or a server for all who are there')

export const matrixSchema = z
  .strictObject({
    kind: z.literal('matrix'),
    /** Where the homeserver's client API is: what stands before `/_matrix`. */
    homeserver: z
      .url({ protocol: /^https?$/, error: 'write a URL that begins with http:// or https://' })
      .refine(url => !holdsLogin(url), noLogin),
    /** Lets `homeserver` be http beyond this machine. */
    insecure: z.boolean().default(false),
    user: user.optional(),
    token: reference.optional(),
    password: reference.optional(),
    channels: z.array(channel).default([]),
    /** Who may invite us to rooms that are not in the configuration: `@alice:example.org`, or a server. */
    invites: z.array(host).default([]),
    /** Whether those who share a room or the server with us may open a direct conversation. */
    direct: z.boolean().default(true),
    /** Shows others how far we have read. */
    receipts: z.boolean().default(false),
  })
  .refine(({ token, password }) => (token === undefined) !== (password === undefined), {
    path: ['token'],
    message: 'give either token or password, as env:NAME or secret:NAME',
  })
  .refine(({ user: named, password }) => password === undefined || named !== undefined, {
    path: ['user'],
    message: 'a password needs the user it belongs to, e.g. @chanop:example.org',
  })
  .refine(({ homeserver, insecure }) => insecure || !isReadable(homeserver), {
    path: ['homeserver'],
    message: 'the token would cross the network readable: use https, or set insecure: true beside it to force it',
  })

export type MatrixConfig = z.output<typeof matrixSchema>
