import { z } from 'zod'
import { holdsLogin, isReadable, noLogin } from '../loopback.ts'

export const referencePattern = /^(env|secret):[A-Za-z_][A-Za-z0-9_.-]*$/

/** `env:NAME` or `secret:NAME`: configuration holds references, never values. */
export const reference = z
  .string()
  .regex(referencePattern, 'write env:NAME or secret:NAME here, never the secret itself')

/** Where to listen, as `example` is written. Port 0, where that may be, is any that is free. */
export const address = (example: string, leastPort: 0 | 1 = 1) =>
  z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, `write address:port, e.g. ${example}`)
    .refine(written => {
      const port = Number(written.slice(written.lastIndexOf(':') + 1))
      return port >= leastPort && port <= 65535
    }, `a port is ${leastPort} to 65535`)

/** Where a token is sent to: with TLS, unless it is this machine. */
export const tokenAddress = (begins: 'https://' | 'wss://') =>
  z
    .url({
      protocol: begins === 'https://' ? /^https?$/ : /^wss?$/,
      error: `write an address that begins with ${begins}`,
    })
    .refine(url => !holdsLogin(url), noLogin)
    .refine(
      url => !isReadable(url),
      `the token would cross the network readable: write ${begins}… (without TLS only to this machine)`,
    )
