/** What one managed server is made from. Kept in `data/ircd/server.json` (0600); every other file there follows from it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { socketPath } from '../../../core/paths.ts'
import { programSchema } from './programs.ts'

const endpoint = z.strictObject({ host: z.string(), port: z.int().min(1).max(65535) })

export const settingsSchema = z.strictObject({
  program: programSchema,
  plain: endpoint,
  tls: endpoint,
  channels: z.array(z.string()),
  owner: z.string(),
  bots: z.array(z.string()),
  /** Whoever joins a channel that is not there makes it, as on networks of others; else our bots alone do. */
  freeChannels: z.boolean().default(false),
  /** Ports that only we use, chosen once and changed when somebody else took them: Ergo's API, or where Anope comes to the guard. */
  httpPort: z.int(),
  /** Where the guard leads Anope on to InspIRCd. */
  linkPort: z.int(),
  /** Keep channel history on disk: null until the server's build was asked. */
  diskHistory: z.boolean().nullable(),
  secrets: z.strictObject({
    oper: z.string(),
    /** bcrypt hash of `oper`, for Ergo. */
    operHash: z.string(),
    api: z.string(),
    link: z.string(),
    cloak: z.string(),
    register: z.string(),
    accounts: z.record(z.string(), z.string()),
  }),
})

export type Settings = z.output<typeof settingsSchema>

export const serverName = 'irc.chanop.local'
export const servicesName = 'services.chanop.local'
export const networkName = 'Chanop'
/** The account and IRC operator with which Chanop administers its server. */
export const controlAccount = 'chanop-control'
/** The host that all see of who connects by the socket of our own bots (InspIRCd). */
export const botHost = 'bots.chanop'
/** Lines of history that a channel keeps; on InspIRCd until the bots, who know the setting, have entered it, and at most. */
export const history = { ergoLines: 20_000, inspircdLines: 20_000, inspircdAge: '1d', inspircdMost: 50_000 } as const

export interface Folders {
  readonly ircd: string
  readonly ergo: string
  readonly inspircd: string
  readonly anope: string
  /** InspIRCd's unix socket, on which our own bots and the control session connect. */
  readonly socket: string
  /** The socket of the guard of logins. */
  readonly logins: string
}

export function folders(dataDir: string): Folders {
  const ircd = join(dataDir, 'ircd')
  const [inspircd, socket] = [join(ircd, 'inspircd'), socketPath(dataDir, 'ircd/inspircd/run', 'bots.sock')]
  const logins = socketPath(dataDir, 'ircd', 'logins.sock')
  return { ircd, ergo: join(ircd, 'ergo'), inspircd, anope: join(ircd, 'anope'), socket, logins }
}

export const settingsPath = (dataDir: string): string => join(dataDir, 'ircd', 'server.json')

export async function readSettings(dataDir: string): Promise<Settings> {
  return settingsSchema.parse(JSON.parse(await readFile(settingsPath(dataDir), 'utf8')))
}

export const formatEndpoint = ({ host, port }: { host: string; port: number }): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`

/** `127.0.0.1:6667` or `[::1]:6667`. */
export function parseEndpoint(written: string): { host: string; port: number } {
  const colon = written.lastIndexOf(':')
  return { host: written.slice(0, colon).replaceAll(/^\[|\]$/g, ''), port: Number(written.slice(colon + 1)) }
}
