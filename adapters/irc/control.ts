/**
 * What the managed IRC server and the bots must both know: written once when the server's configuration is made,
 * read by the adapter. Lives in `data/ircd/control.json`, mode 0600, like the server's own configuration beside it.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const endpoint = z.strictObject({ host: z.string(), port: z.int() })

export const controlSchema = z.strictObject({
  server: z.enum(['ergo', 'inspircd']),
  version: z.string(),
  plain: endpoint,
  /** `fingerprint`: SHA-256 of the certificate, lower-case hex. */
  tls: endpoint.extend({ fingerprint: z.string() }),
  /** A unix socket on which our own bots connect without an account (InspIRCd). */
  socket: z.string().optional(),
  oper: z.strictObject({ name: z.string(), password: z.string() }),
  /** Passwords of the bots' own accounts, by bot. */
  accounts: z.record(z.string(), z.string()),
  /** The socket of the guard of logins. */
  logins: z.string().optional(),
  /** Ergo's HTTP API. */
  api: z.strictObject({ url: z.string(), token: z.string() }).optional(),
  /** The unguessable name of NickServ's REGISTER (Anope); IDENTIFY begins likewise. */
  registerCommand: z.string().optional(),
})

export type Control = z.output<typeof controlSchema>

/** What NickServ's IDENTIFY is called: only Chanop's own connections log in after they came in. */
export const identifyCommand = ({ registerCommand = '' }: Control): string =>
  registerCommand.replace(/REGISTER$/, 'IDENTIFY')

export const controlPath = (dataDir: string): string => join(dataDir, 'ircd', 'control.json')

export async function readControl(dataDir: string): Promise<Control> {
  return controlSchema.parse(JSON.parse(await readFile(controlPath(dataDir), 'utf8')))
}
