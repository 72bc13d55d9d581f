import { z } from 'zod'
import { address, reference } from '../../core/config/fields.ts'
import { isLoopbackHost } from '../../core/loopback.ts'
import { history } from './server/settings.ts'

const listener = address('127.0.0.1:6667')
const channel = z.string().regex(/^[#&+!][^\s,\u0007]{0,63}$/, 'write a channel name, e.g. #general')

const common = {
  kind: z.literal('irc'),
  channels: z.array(channel).default([]),
  /** Give each bot a connection and nick of its own. */
  personas: z.boolean().default(true),
}

/** The IRC server that `npm start` runs: addresses, accounts and passwords come from `data/ircd/control.json`. */
const managed = z.strictObject({
  ...common,
  managed: z.literal(true),
  /** What a channel keeps for us on InspIRCd while we are away: as many lines as come in the longest time that we are. */
  history: z
    .strictObject({
      lines: z.int().min(100).max(history.inspircdMost).default(20_000),
      age: z
        .string()
        .regex(/^[1-9]\d{0,3}[smhdw]$/, 'write a time such as 12h or 1d')
        .default('1d'),
    })
    .prefault({}),
  listen: z
    .strictObject({
      tls: listener.default('127.0.0.1:6697'),
      plain: listener.default('127.0.0.1:6667'),
      /** Lets `plain` listen beyond this machine. */
      insecure: z.boolean().default(false),
    })
    .refine(({ plain, insecure }) => insecure || isLoopbackHost(plain.slice(0, plain.lastIndexOf(':'))), {
      path: ['plain'],
      message:
        'passwords would cross the network readable: listen on 127.0.0.1, or set insecure: true beside it to force it',
    })
    .prefault({}),
})

const external = z.strictObject({
  ...common,
  managed: z.literal(false).default(false),
  host: z.string().min(1),
  port: z.int().min(1).max(65535).default(6697),
  tls: z.boolean().default(true),
  /** SHA-256 of the server's certificate, hex: pins it instead of asking a certificate authority. */
  fingerprint: z
    .string()
    .regex(/^[0-9a-fA-F:]{64,95}$/, "write the SHA-256 of the server's certificate: 64 hexadecimal digits")
    .optional(),
  nick: z
    .string()
    .regex(
      /^[A-Za-z_\-[\]\\^{}|`][A-Za-z0-9_\-[\]\\^{}|`]{0,31}$/,
      'write a nick of at most 32 letters, digits, _ and -, no digit first',
    ),
  sasl: z
    .discriminatedUnion('mechanism', [
      z.strictObject({ mechanism: z.literal('plain'), account: z.string(), password: reference }),
      z.strictObject({
        mechanism: z.literal('external'),
        account: z.string().optional(),
        certificate: z.string(),
        key: z.string(),
      }),
    ])
    .or(z.strictObject({ account: z.string(), password: reference }))
    .optional(),
  serverPassword: reference.optional(),
  /** Lines a second this network takes from us after a burst of `burst` lines. null: no limit of our own. */
  flood: z
    .strictObject({ linesPerSecond: z.number().positive(), burst: z.int().min(1) })
    .nullable()
    .prefault({ linesPerSecond: 2, burst: 5 }),
})

export const ircSchema = z.union([managed, external])
export type IrcConfig = z.output<typeof ircSchema>
