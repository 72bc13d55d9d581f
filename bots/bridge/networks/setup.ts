/** Setting a network up from chat, step by step: pure but for the look at the platform. */

import type { z } from 'zod'
import { kinds } from '../../../adapters/index.ts'
import type { Config } from '../../../config/schema.ts'
import type { AdapterKind, Probe, SetupStep } from '../../../core/adapter.ts'
import { reasonOf } from '../../../core/config/fault.ts'
import { referencePattern } from '../../../core/config/fields.ts'
import { schemaAt } from '../../../core/config/schema.ts'
import { yaml } from '../../../core/config/yaml.ts'
import { ChanopError } from '../../../core/error.ts'
import type { NetworkId } from '../../../core/event.ts'
import type { BotContext } from '../../../core/process/bot.ts'
import { nearest } from '../../../core/text/nearest.ts'
import { escapeInline } from '../../../core/text/text.ts'
import { pastedToken } from '../../../core/vault/pasted.ts'
import { def } from '../../../core/zod.ts'

export type Section = Readonly<Record<string, unknown>> & { readonly kind: string }

/** Kinds that can be added in chat. */
export const addable = (): readonly AdapterKind[] => kinds.filter(({ setup }) => setup !== undefined)

export const kindOf = ({ kind }: Section): AdapterKind => kinds.find(known => known.kind === kind) as AdapterKind

export const stepsOf = (section: Section): readonly SetupStep[] =>
  kinds.find(({ kind }) => kind === section.kind)?.setup ?? []

const valueAt = (section: unknown, [key, ...rest]: readonly string[]): unknown =>
  key === undefined || typeof section !== 'object' || section === null
    ? section
    : Object.hasOwn(section, key)
      ? valueAt((section as Record<string, unknown>)[key], rest)
      : undefined

/** A copy with `value` at a dotted key. */
export function withValue(section: Section, key: string, value: unknown): Section {
  const copy = structuredClone(section) as Record<string, unknown>
  const path = key.split('.')
  let inside = copy
  for (const part of path.slice(0, -1)) {
    const next = Object.hasOwn(inside, part) ? inside[part] : undefined
    inside = (typeof next === 'object' && next !== null ? next : (inside[part] = {})) as Record<string, unknown>
  }
  inside[path.at(-1) as string] = value
  return copy as Section
}

/** The first thing that is still needed; null: nothing is. */
export const missingStep = (section: Section): SetupStep | null =>
  stepsOf(section).find(({ key, optional }) => !optional && valueAt(section, key.split('.')) === undefined) ?? null

/** What to say next, and why. */
export function stepLines(name: string, section: Section, { key, ask, secret, example }: SetupStep, prefix: string) {
  const needed = stepsOf(section).filter(({ optional }) => !optional)
  const at = needed.findIndex(step => step.key === key)
  const variable = `${name}_${key}`.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')
  const say = `${prefix}network set ${name} ${key}`
  return [
    `${name} (${section.kind}), ${at + 1} of ${needed.length}: ${escapeInline(ask)}`,
    secret
      ? `say ${say} VALUE to me, in a direct message and nowhere else: it is sealed and its message wiped; or ${say} env:${variable}`
      : `say ${say} ${escapeInline(example ?? 'VALUE')}`,
  ]
}

/** What may be set besides, once all that is needed is there. */
export function optionalLines(name: string, section: Section, prefix: string): string[] {
  const open = stepsOf(section).filter(
    ({ key, optional }) => optional && valueAt(section, key.split('.')) === undefined,
  )
  const finish = `${prefix}network add ${name} tests it and turns it on`
  if (open.length === 0) return [`${name}: all is there; ${finish}`]
  return [
    `${name}: all that it needs is there; ${finish}`,
    ...open.map(
      ({ key, ask, example }) =>
        `may be set before: ${prefix}network set ${name} ${key} ${escapeInline(example ?? 'VALUE')} · ${escapeInline(ask)}`,
    ),
  ]
}

/** A copy without what stands at a dotted key. */
export function withoutValue(section: Section, key: string): Section {
  const copy = withValue(section, key, undefined)
  return JSON.parse(JSON.stringify(copy)) as Section
}

/** A value as it is to stand in the configuration. `secret`: it is to be sealed, and the reference stands there. */
export interface Given {
  readonly value: unknown
  readonly secret: { readonly name: string; readonly value: string } | null
}

export const secretNameOf = (network: string, key: string): string => `network.${network}.${key}`

/** What somebody typed for a key of a network. Throws `usage` and `not-found`; what it throws holds no value. */
export function givenValue(name: string, section: Section, key: string, typed: string): Given {
  const step = stepsOf(section).find(known => known.key === key)
  const path = key.split('.')
  const schema = schemaAt(kindOf(section).schema, path, section)
  // A step names keys of one form of its kind: a server that we run has no nick of ours.
  const known = schema ?? (step && schemaAt(kindOf(section).schema, path.slice(0, 1), section))
  if (!known) throw unknownKey(section, key)
  if (step?.secret || (schema && takesReference(schema))) {
    if (referencePattern.test(typed)) return { value: typed, secret: null }
    const secret = { name: secretNameOf(name, key), value: typed }
    return { value: `secret:${secret.name}`, secret }
  }
  return { value: schema ? fitting(schema, key, typed) : typed, secret: null }
}

/** Whether a key takes references alone: what is typed there is the secret itself. */
const takesReference = (schema: z.ZodType): boolean =>
  schema.safeParse('env:A_B').success && !schema.safeParse('a b').success

function fitting(schema: z.ZodType, key: string, typed: string): unknown {
  const written = valueOf(typed)
  const takesList = [schema, ...(def(schema).options ?? [])].some(form => def(form).type === 'array')
  const list = takesList && !Array.isArray(written) ? [typed.split(/[\s,]+/).filter(Boolean)] : []
  const fits = [...list, written, typed].filter(value => schema.safeParse(value).success)
  if (fits.length > 0) return fits[0]
  const given = list[0] ?? written
  const issue = schema.safeParse(given).error?.issues[0]
  throw new ChanopError('usage', `${key} ${issue ? reasonOf(issue, given) : 'can not be that'}`)
}

function valueOf(typed: string): unknown {
  try {
    return yaml().parse(typed)
  } catch (error) {
    if (error instanceof Error) return typed
    throw error
  }
}

function unknownKey(section: Section, key: string): ChanopError {
  const shape = def(schemaAt(kindOf(section).schema, [], section) as z.ZodType).shape ?? {}
  const steps = stepsOf(section).flatMap(step => (Object.hasOwn(shape, step.key.split('.')[0] ?? '') ? step.key : []))
  const keys = [...new Set([...steps, ...Object.keys(shape)])].filter(known => known !== 'kind')
  const near = nearest(key, keys)
  const hint = near ? `did you mean ${near}?` : `there are ${keys.join(', ')}`
  return new ChanopError('not-found', `no key '${key.slice(0, 40)}' of ${section.kind}; ${hint}`)
}

const endpoints = ['api', 'homeserver', 'host']

/**
 * The network that is on and has the same account; null: none. Two that hear one account say everything twice, or take what is said
 * from each other. `secrets` are values that are not in the vault yet.
 */
export async function sameAccount(
  bot: Pick<BotContext, 'secret'>,
  name: string,
  wanted: Config['networks'][string],
  secrets: Readonly<Record<string, string>>,
  networks: Config['networks'],
): Promise<string | null> {
  const keys = stepsOf(wanted as Section).filter(({ optional }) => !optional)
  if (keys.length === 0) return null
  const known = async (section: unknown): Promise<string> => {
    const values = [...endpoints, ...keys.map(({ key }) => key)].map(key => valueAt(section, key.split('.')))
    const said = values.map(async value => {
      if (typeof value !== 'string' || !referencePattern.test(value)) return value
      // One that is not there is like no other.
      return pastedToken(secrets[value] ?? (await bot.secret(value).catch(() => value)))
    })
    return JSON.stringify(await Promise.all(said))
  }
  const ours = await known(wanted)
  for (const [other, config] of Object.entries(networks))
    if (other !== name && config.on && config.kind === wanted.kind && (await known(config)) === ours) return other
  return null
}

/** The longest that a platform may take to show itself. */
const probeMs = 60_000

/** Looks at a network from outside. Null: its kind can't. `secrets` are values that are not in the vault yet. */
export async function probeNetwork(
  bot: Pick<BotContext, 'log' | 'dataDir' | 'secret'>,
  name: string,
  config: Config['networks'][string],
  secrets: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Probe | null> {
  const kind = kindOf(config as Section)
  if (!kind.probe) return null
  const end = AbortSignal.any([signal, AbortSignal.timeout(probeMs)])
  const late = new Promise<never>((_resolve, reject) => {
    const stop = (): void => reject(new ChanopError('network-down', `${name} did not answer in time`))
    if (end.aborted) stop()
    end.addEventListener('abort', stop, { once: true })
  })
  const context = {
    network: name as NetworkId,
    log: bot.log.child({ network: name }),
    dataDir: bot.dataDir,
    secret: (reference: string) => {
      const given = secrets[reference]
      return given === undefined ? bot.secret(reference) : Promise.resolve(given)
    },
    signal: end,
  }
  late.catch(() => undefined)
  return Promise.race([kind.probe(config, context), late])
}

const shownChannels = 20

/** What a look has shown, for people. */
export function probeLines(name: string, { account, server, missing, channels }: Probe): string[] {
  const seen = channels
    .slice(0, shownChannels)
    .map(({ channel, name: title, joined }) =>
      [
        escapeInline(`${name}:${channel}`),
        title === channel ? '' : ` (${escapeInline(title)})`,
        joined ? ' ✓' : '',
      ].join(''),
    )
  const more = channels.length > shownChannels ? ` and ${channels.length - shownChannels} more` : ''
  return [
    [`${name}: we are ${escapeInline(account)}`, server === undefined ? '' : escapeInline(server)]
      .filter(Boolean)
      .join(' · '),
    ...missing.map(line => `missing: ${escapeInline(line)}`),
    channels.length === 0
      ? 'it sees no channel: invite the bot into one'
      : `it sees ${seen.join(', ')}${more} (✓: it is in)`,
  ]
}
