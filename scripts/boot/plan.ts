import { existsSync } from 'node:fs'
import { copyFile, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { z } from 'zod'
import type { HttpConfig } from '../../adapters/http/config.ts'
import type { ircSchema } from '../../adapters/irc/config.ts'
import { readControl } from '../../adapters/irc/control.ts'
import { formatEndpoint } from '../../adapters/irc/server/settings.ts'
import { type Config, configSchema } from '../../config/schema.ts'
import { waitsForStart } from '../../config/start-keys.ts'
import { readConfig } from '../../core/config/load.ts'
import { asChanopError, ChanopError } from '../../core/error.ts'
import { makeFolder } from '../../core/files.ts'
import { openToRead } from '../../core/ledger/record/reading.ts'
import { type Override, overrides } from '../../core/ledger/settings/settings.ts'
import { fitting } from '../../core/settings/settings-merge.ts'
import type { WantedPort } from '../checks/ports.ts'
import { type Instance, shown } from '../instance.ts'
import type { Pm2App } from './pm2.ts'

type Managed = Extract<z.output<typeof ircSchema>, { managed: true }>

/** What the configuration asks of this machine. */
export interface Plan {
  readonly config: Config
  /** The file's text: a change of it restarts the bots. */
  readonly text: string
  /** Keys for a start that chat set. */
  readonly byChat: readonly string[]
  readonly ircd: { readonly network: string; readonly settings: Managed; readonly owner: string | null } | null
}

/** Makes the configuration from the example when there is none; true when it did. */
export async function makeConfig(instance: Instance): Promise<boolean> {
  if (existsSync(instance.config)) return false
  await makeFolder(dirname(instance.config))
  await copyFile(join(instance.root, 'config', 'example.yaml'), instance.config)
  return true
}

/**
 * The file, with what chat changed over it where there is a ledger that can be read; with `CHANOP_FILE_ONLY=1` the file
 * alone. Throws `config-invalid`.
 */
async function inForce({
  config: file,
  paths,
  env,
}: Instance): Promise<{ readonly config: Config; readonly ofStart: readonly Override[] }> {
  const raw = readConfig(file, configSchema, join(paths.run, 'config.json')) as Record<string, unknown>
  const stored = env['CHANOP_FILE_ONLY'] !== '1' && existsSync(paths.ledger) ? readOverrides(paths.ledger) : []
  const { merged, kept } = fitting(configSchema, raw, stored)
  const ofStart = kept.filter(({ key }) => waitsForStart(configSchema.parse(merged), key))
  return { config: configSchema.parse(merged), ofStart }
}

/** A ledger that can't be read, or is of another release, is looked at later: then the file alone counts. */
function readOverrides(ledger: string): readonly Override[] {
  try {
    using reading = openToRead(ledger)
    return overrides(reading.tx)
  } catch (error) {
    const { code, message } = asChanopError(error)
    // That it is damaged ends the start a moment later, in a line of its own.
    if (code !== 'ledger-corrupt')
      process.stderr.write(`chanop: what chat changed is not known at this start: ${message}\n`)
    return []
  }
}

/** Throws `config-invalid`: one line with file, line, key and the nearest valid key. */
export async function readPlan(instance: Instance): Promise<Plan> {
  const file = shown(instance, instance.config)
  const { config, ofStart } = await inForce(instance)
  const managed = Object.entries(config.networks)
    .map(([network, settings]) => ({ network, settings: settings as unknown as Managed }))
    .filter(({ settings }) => (settings.kind as string) === 'irc' && settings.managed)
  const [first, second] = managed
  if (second) {
    const message = `${file}: networks.${second.network}.managed: one server can be managed, and that is ${first?.network}: give this one a host`
    throw new ChanopError('config-invalid', message)
  }
  const changed = ofStart.map(({ key, value }) => `\n# ${key}: ${JSON.stringify(value)}`).join('')
  const text = `${await readFile(instance.config, 'utf8')}${changed}`
  return {
    config,
    text,
    byChat: ofStart.map(({ key }) => key),
    ircd: first ? { ...first, owner: ownerOn(config.owner, first.network) } : null,
  }
}

/** The owner's account when the owner lives on that network. */
function ownerOn(owner: string, network: string): string | null {
  const colon = owner.indexOf(':')
  return owner.slice(0, colon) === network ? owner.slice(colon + 1) : null
}

/** The key by which chat set this one; undefined: the file says it. */
export const setInChat = (byChat: readonly string[], key: string): string | undefined =>
  byChat.find(set => `${key}.`.startsWith(`${set}.`))

export function wantedPorts({ ircd, byChat }: Pick<Plan, 'ircd' | 'byChat'>): readonly WantedPort[] {
  if (ircd === null) return []
  return (['plain', 'tls'] as const).map(listener => {
    const key = `networks.${ircd.network}.listen.${listener}`
    const chatKey = setInChat(byChat, key)
    return { key, address: ircd.settings.listen[listener], ...(chatKey === undefined ? {} : { chatKey }) }
  })
}

/** Where `bridge` serves HTTP. A start goes on without: the network says in chat that it could not listen. */
export const httpPorts = ({ config }: Plan): readonly WantedPort[] =>
  Object.entries(config.networks)
    .filter(([, { kind }]) => kind === 'http')
    .map(([network, settings]) => ({
      key: `networks.${network}.listen`,
      address: (settings as unknown as HttpConfig).listen,
    }))

/** Where our own processes listen now, so that their ports do not count as taken. */
export async function ourAddresses(
  { paths }: Instance,
  own: readonly Pm2App[],
  plan: Plan,
): Promise<readonly string[]> {
  const runs = (name: string): boolean => own.some(app => app.name === name && app.pid > 0)
  const http = runs('bridge') ? httpPorts(plan).map(({ address }) => address) : []
  if (!runs('ircd')) return http
  const { plain, tls } = await readControl(paths.data)
  return [...[plain, tls].map(formatEndpoint), ...http]
}
