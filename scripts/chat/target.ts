/** Where to connect, as whom, and into which channels: from the options, the data folder and the configuration. */

import { readFile } from 'node:fs/promises'
import { type Control, controlPath, readControl } from '../../adapters/irc/control.ts'
import type { Endpoint } from '../../adapters/irc/link/wire.ts'
import { managedNetworks } from '../../config/networks.ts'
import { configSchema } from '../../config/schema.ts'
import { loadConfig } from '../../core/config/load.ts'
import { asChanopError, ChanopError } from '../../core/error.ts'
import { given } from '../../core/given.ts'
import { type Instance, shown } from '../instance.ts'
import type { Target } from './endpoint.ts'
import { isChannel } from './input.ts'
import type { Options } from './options.ts'

export type Login = Pick<Target, 'account' | 'password'>

export interface Setting {
  readonly endpoint: Endpoint
  readonly login: Login
  readonly channels: readonly string[]
  /** What commands begin with. */
  readonly prefix: string
  /** Something to know that stops nobody. */
  readonly note: string | null
}

const setup = (message: string, cause?: unknown): ChanopError => new ChanopError('setup-failed', message, { cause })
const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

async function control(instance: Instance): Promise<Control | null> {
  try {
    return await readControl(instance.paths.data)
  } catch (error) {
    if (isMissing(error)) return null
    const path = shown(instance, controlPath(instance.paths.data))
    throw setup(
      `${path} can not be read (${(error as NodeJS.ErrnoException).code ?? 'damaged'}): npm start writes it anew`,
      error,
    )
  }
}

/** Throws `setup-failed` when no server is named and none was set up here. */
export function endpointOf({ server, fingerprint }: Options, managed: Control | null): Endpoint {
  if (!server) {
    if (!managed)
      throw setup('there is no IRC server here yet: npm start makes one (or name one with --server host:port)')
    return { ...managed.tls, tls: true }
  }
  const { host, port, tls } = server
  const same = (other: { host: string; port: number } | undefined): boolean =>
    other?.host === host && other.port === port
  if (tls === false || (tls === null && same(managed?.plain))) return { host, port, tls: false }
  const pinned = fingerprint ?? (same(managed?.tls) ? managed?.tls.fingerprint : undefined)
  return { host, port, tls: true, ...given({ fingerprint: pinned }) }
}

/** `account=… password=…` on one line, with more such words behind as the bots say them, or a password alone (then `account` must be known). */
export function parseLogin(written: string, account: string | null): Login | null {
  const text = written.trim()
  const both = /^account=(\S+)\s+password=(\S+)(?:\s+\S+=\S+)*$/.exec(text)
  if (both) return { account: account ?? (both[1] as string), password: both[2] as string }
  return account === null || text === '' || /[\r\n\0]/.test(text) ? null : { account, password: text }
}

async function login(options: Options, instance: Instance): Promise<Login> {
  const path = options.passwordFile ?? instance.paths.ownerLogin
  const name = options.passwordFile ?? shown(instance, path)
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable'
    if (options.passwordFile !== null) throw setup(`--password-file ${name} can not be read (${code})`, error)
    const why = isMissing(error) ? 'is not there' : `can not be read (${code})`
    throw setup(
      `the owner's login ${name} ${why}: npm start writes it; if its password was changed since, use --account NAME --password-file FILE`,
      error,
    )
  })
  const found = parseLogin(text, options.account)
  if (found) return found
  throw setup(`${name} holds no login: write one line account=… password=…, or the password alone and --account NAME`)
}

function wishes(instance: Instance): Pick<Setting, 'channels' | 'prefix' | 'note'> {
  try {
    const config = loadConfig(instance.config, configSchema)
    const [managed] = managedNetworks(config)
    const channels = (managed && (config.networks[managed] as { channels?: readonly string[] }).channels) ?? []
    return { channels, prefix: config.commands.prefix, note: null }
  } catch (error) {
    return { channels: [], prefix: '!', note: `${asChanopError(error).message}; going on with #general` }
  }
}

const first = '#general'

/** The channels in the order of their windows. */
export function channelOrder(configured: readonly string[], asked: string | null): string[] {
  const usable = configured.filter(isChannel)
  const head = [...(asked === null ? [] : [asked]), ...(usable.includes(first) || usable.length === 0 ? [first] : [])]
  return [...new Set([...head, ...usable])]
}

/** Rejects `setup-failed` with what to do first. */
export async function readSetting(options: Options, instance: Instance): Promise<Setting> {
  // Another server's channels are not those of the managed one.
  const own = await control(instance)
  const endpoint = endpointOf(options, own)
  const { channels, prefix, note } = wishes(instance)
  const elsewhere = options.server !== null && endpoint.port !== own?.tls.port && endpoint.port !== own?.plain.port
  return {
    endpoint,
    login: await login(options, instance),
    channels: channelOrder(elsewhere ? [] : channels, options.channel),
    prefix,
    note: elsewhere ? null : note,
  }
}
