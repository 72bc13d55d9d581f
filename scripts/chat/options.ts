import { parseArgs } from 'node:util'
import { ChanopError } from '../../core/error.ts'
import { isChannel } from './input.ts'

export interface Options {
  readonly help: boolean
  readonly server: { readonly host: string; readonly port: number; readonly tls: boolean | null } | null
  /** SHA-256 of the certificate to accept, lower-case hex. */
  readonly fingerprint: string | null
  readonly account: string | null
  readonly passwordFile: string | null
  readonly channel: string | null
  readonly plain: boolean
  /** How long answers are waited for; null: until they pause. */
  readonly waitMs: number | null
  /** Past lines to show; null: 100 on a screen, none line by line. */
  readonly history: number | null
}

export const usage = `npm run chat -- [options]        talk to the bots from this terminal

  --server host:port     another server than the managed one; over TLS (irc://host:port: without, loopback only)
  --fingerprint HEX      SHA-256 of that server's certificate, instead of an authority's word
  --account NAME         log in as NAME instead of the owner; needs --password-file
  --password-file FILE   the password, or one line account=… password=…
  --channel '#NAME'      first channel (line by line: where the lines go)
  --history N            past lines to show in each channel
  --plain                line by line, as without a terminal: lines go to the channel, answers come out
  --wait SECONDS         line by line: how long to wait for answers after the last line (else until they pause, 2 at most)
`

const known = {
  help: { type: 'boolean', short: 'h' },
  server: { type: 'string' },
  fingerprint: { type: 'string' },
  account: { type: 'string' },
  'password-file': { type: 'string' },
  channel: { type: 'string' },
  plain: { type: 'boolean' },
  wait: { type: 'string' },
  history: { type: 'string' },
} as const

const wrong = (message: string): ChanopError =>
  new ChanopError('usage', `${message}; npm run chat -- --help lists the options`)

function server(written: string | undefined): Options['server'] {
  if (written === undefined) return null
  const found = /^(?:(ircs?):\/\/)?(?:\[([0-9a-fA-F:]+)\]|([^\s:/]+)):(\d{1,5})$/.exec(written)
  const port = Number(found?.[4])
  if (!found || port < 1 || port > 65_535) throw wrong(`--server ${written}: write host:port`)
  const host = found[2] ?? found[3] ?? ''
  const tls = found[1] === undefined ? null : found[1] === 'ircs'
  if (tls === false && !/^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host)) {
    throw wrong(`--server ${written}: a password is not sent to another machine without TLS; write ircs://`)
  }
  return { host, port, tls }
}

function number(name: string, written: string | undefined, most: number): number | null {
  if (written === undefined) return null
  const value = Number(written)
  if (written.trim() === '' || !(value >= 0 && value <= most))
    throw wrong(`--${name} ${written}: write a number from 0 to ${most}`)
  return value
}

function channel(written: string | undefined): string | null {
  if (written === undefined) return null
  const name = /^[#&]/.test(written) ? written : `#${written}`
  if (!isChannel(name)) throw wrong(`--channel ${written}: write a channel's name, e.g. '#general'`)
  return name
}

function fingerprint(written: string | undefined): string | null {
  if (written === undefined) return null
  const hex = written.replaceAll(':', '').toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(hex)) throw wrong('--fingerprint: write the 64 hex digits of a SHA-256')
  return hex
}

function parse(argv: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof known }>>['values'] {
  try {
    return parseArgs({ args: [...argv], options: known, allowPositionals: false }).values
  } catch (error) {
    throw wrong((error as Error).message.split(/[.\n]/)[0] ?? '')
  }
}

/** Throws `usage`. */
export function readOptions(argv: readonly string[]): Options {
  const given = parse(argv)
  const account = given.account ?? null
  const passwordFile = given['password-file'] ?? null
  if (account !== null && !/^[^\s\0]{1,64}$/.test(account))
    throw wrong(`--account ${account}: that is no account's name`)
  if (account !== null && passwordFile === null) throw wrong('--account needs --password-file')
  const waitS = number('wait', given.wait, 86_400)
  return {
    help: given.help ?? false,
    server: server(given.server),
    fingerprint: fingerprint(given.fingerprint),
    account,
    passwordFile,
    channel: channel(given.channel),
    plain: given.plain ?? false,
    waitMs: waitS === null ? null : waitS * 1000,
    history: number('history', given.history, 1000),
  }
}
