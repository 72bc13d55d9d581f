/** Makes everything the managed IRC server needs, once; a second run keeps it and applies what changed in the configuration. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { ChanopError } from '../../../core/error.ts'
import { makeFolder, readIfThere, writeIfChanged, writeWhole } from '../../../core/files.ts'
import { type Control, controlPath } from '../control.ts'
import { anopeConfig, unquotable } from './anope.ts'
import { fingerprintOf, makeCertificate } from './certificate.ts'
import { ergoConfig } from './ergo.ts'
import { inspircdConfig } from './inspircd.ts'
import { freePorts } from './ports.ts'
import type { ServerProgram } from './programs.ts'
import {
  controlAccount,
  type Folders,
  folders,
  parseEndpoint,
  readSettings,
  type Settings,
  serverName,
  settingsPath,
  settingsSchema,
} from './settings.ts'
import { validate } from './validate.ts'

export interface PrepareOptions {
  readonly dataDir: string
  readonly config: {
    readonly listen: { readonly plain: string; readonly tls: string }
    readonly channels: readonly string[]
    /** The first owner's account on this network; null when the owner lives elsewhere. */
    readonly owner: string | null
    /** Bots that get an account and, on InspIRCd, a nick that nobody else can take. */
    readonly bots: readonly string[]
    /** For suites that play a network of others: channels are made by whoever joins them. */
    readonly freeChannels?: boolean
  }
  readonly program: ServerProgram
}

/** Rejects `config-invalid` with one line that says what to change. Safe to run while the server is running. */
export async function prepareServer(options: PrepareOptions): Promise<Control> {
  const dataDir = resolve(options.dataDir)
  const at = folders(dataDir)
  refusePaths(options.program, at)
  await makeFolders(options.program, at)
  const settings = await settle(dataDir, options)
  const fingerprint = await certificate(at.ircd, settings)
  await writeIfChanged(join(at.ircd, 'motd.txt'), 'Chanop: say !help in a channel or in a message to a bot.\n')
  return apply(dataDir, settings, fingerprint)
}

/** Gives a port that only we use a new number. Only for whoever holds the server's lock, or the guard, and found it taken. */
export async function renewPort(dataDir: string, which: 'httpPort' | 'linkPort'): Promise<void> {
  const settings = await readSettings(resolve(dataDir))
  const [port = 0] = await freePorts(1)
  const renewed = { ...settings, [which]: port }
  await apply(resolve(dataDir), renewed, await certificate(folders(resolve(dataDir)).ircd, renewed))
}

async function apply(dataDir: string, settings: Settings, fingerprint: string): Promise<Control> {
  // Nothing is written that the next start refuses to read.
  settingsSchema.parse(settings)
  const at = folders(dataDir)
  const written = { ...settings, diskHistory: settings.diskHistory ?? settings.program.server === 'ergo' }
  if (await changed(at, written)) {
    const accepted = await validate(written, at)
    for (const [path, text] of configFiles(accepted, at)) await writeIfChanged(path, text)
    await writeIfChanged(settingsPath(dataDir), `${JSON.stringify(accepted, null, 2)}\n`)
  } else await writeIfChanged(settingsPath(dataDir), `${JSON.stringify(written, null, 2)}\n`)
  const control = controlOf(settings, at, fingerprint)
  await writeIfChanged(controlPath(dataDir), `${JSON.stringify(control, null, 2)}\n`)
  return control
}

/** Every configuration file of the chosen server. */
export const configFiles = (settings: Settings, at: Folders): readonly (readonly [path: string, text: string])[] =>
  settings.program.server === 'ergo'
    ? [[join(at.ergo, 'ircd.yaml'), ergoConfig(settings, at)]]
    : [
        [join(at.inspircd, 'inspircd.conf'), inspircdConfig(settings, at)],
        [join(at.anope, 'services.conf'), anopeConfig(settings, at)],
      ]

async function changed(at: Folders, settings: Settings): Promise<boolean> {
  for (const [path, text] of configFiles(settings, at)) if ((await readIfThere(path)) !== text) return true
  return false
}

function refusePaths(program: ServerProgram, at: Folders): void {
  if (program.server !== 'inspircd') return
  const say = (reason: string): ChanopError =>
    new ChanopError(
      'config-invalid',
      `the data folder's path ${reason}; set CHANOP_DATA to another one (now: ${JSON.stringify(at.ircd)})`,
    )
  if (unquotable.test(at.ircd)) throw say('has a character that the IRC server can not read')
}

async function makeFolders(program: ServerProgram, at: Folders): Promise<void> {
  const needed =
    program.server === 'ergo'
      ? [at.ergo]
      : [
          ...['data', 'log', 'run'].map(name => join(at.inspircd, name)),
          dirname(at.socket),
          ...['db/backups', 'log'].map(name => join(at.anope, name)),
        ]
  for (const path of [at.ircd, ...needed]) {
    await makeFolder(path).catch((cause: NodeJS.ErrnoException) => {
      throw new ChanopError(
        'config-invalid',
        `${path} can not be made (${cause.code}): give the data folder to the user who runs Chanop`,
        { cause },
      )
    })
  }
}

const secret = (): string => randomBytes(32).toString('base64url')

async function settle(dataDir: string, { config, program }: PrepareOptions): Promise<Settings> {
  const before = await readBefore(dataDir)
  const [httpPort = 0, linkPort = 0] = before ? [before.httpPort, before.linkPort] : await freePorts(2)
  const names = [...config.bots, controlAccount]
  const oper = before?.secrets.oper ?? secret()
  const operHash = before?.secrets.operHash || (program.server === 'ergo' ? await bcrypt(program.path, oper) : '')
  const sameProgram = JSON.stringify(before?.program) === JSON.stringify(program)
  return {
    program,
    plain: parseEndpoint(config.listen.plain),
    tls: parseEndpoint(config.listen.tls),
    channels: [...config.channels],
    owner: config.owner ?? '',
    bots: [...config.bots],
    freeChannels: config.freeChannels === true,
    httpPort,
    linkPort,
    diskHistory: sameProgram ? (before?.diskHistory ?? null) : null,
    secrets: {
      oper,
      operHash,
      api: before?.secrets.api ?? secret(),
      link: before?.secrets.link ?? secret(),
      cloak: before?.secrets.cloak ?? secret(),
      register: before?.secrets.register ?? secret().replaceAll(/[^A-Za-z0-9]/g, 'x'),
      accounts: {
        ...before?.secrets.accounts,
        ...Object.fromEntries(names.map(name => [name, before?.secrets.accounts[name] ?? secret()])),
      },
    },
  }
}

/** The server's passwords exist nowhere else, so that an unreadable file is never replaced by a new one. */
async function readBefore(dataDir: string): Promise<Settings | null> {
  const path = settingsPath(dataDir)
  const text = await readIfThere(path)
  if (text === null) return null
  try {
    return settingsSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new ChanopError(
      'config-invalid',
      `${path} is damaged: restore it from a backup, or move data/ircd away to begin with new accounts`,
      { cause },
    )
  }
}

/** Ergo's own hash of an operator's password; the password goes in by standard input, never as an argument. */
function bcrypt(path: string, password: string): Promise<string> {
  return new Promise((done, fail) => {
    const child = execFile(path, ['genpasswd'], { timeout: 10_000 }, (error, stdout) => {
      if (error || !stdout.startsWith('$2'))
        fail(new ChanopError('config-invalid', `${path} genpasswd does not work: install Ergo again`, { cause: error }))
      else done(stdout.trim())
    })
    child.stdin?.end(`${password}\n`)
  })
}

async function certificate(ircd: string, settings: Settings): Promise<string> {
  const [certificatePath, keyPath] = [join(ircd, 'cert.pem'), join(ircd, 'key.pem')]
  const before = await readIfThere(certificatePath)
  if (before !== null && (await readIfThere(keyPath)) !== null) return fingerprintOf(before)
  await rm(certificatePath, { force: true })
  const made = await makeCertificate([serverName, 'localhost', ...new Set(['127.0.0.1', '::1', settings.tls.host])])
  // The certificate last: while it is missing, both are made anew.
  await writeWhole(keyPath, made.keyPem)
  await writeWhole(certificatePath, made.certificatePem)
  return fingerprintOf(made.certificatePem)
}

const controlOf = (settings: Settings, at: Folders, fingerprint: string): Control => ({
  server: settings.program.server,
  version: settings.program.version,
  plain: settings.plain,
  tls: { ...settings.tls, fingerprint },
  logins: at.logins,
  oper: { name: controlAccount, password: settings.secrets.oper },
  accounts: settings.secrets.accounts,
  ...(settings.program.server === 'ergo'
    ? { api: { url: `http://127.0.0.1:${settings.httpPort}`, token: settings.secrets.api } }
    : { socket: at.socket, registerCommand: `${settings.secrets.register}.REGISTER` }),
})
