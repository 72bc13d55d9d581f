import { z } from 'zod'
import { type Found, soonOrLater } from '../../../core/command/visit/later.ts'
import { asChanopError, ChanopError } from '../../../core/error.ts'
import {
  dropNetworkDraft,
  keepNetworkDraft,
  type NetworkDraft,
  networkDrafts,
} from '../../../core/ledger/settings/network-drafts.ts'
import { dropSecret } from '../../../core/ledger/settings/secrets.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { nearest } from '../../../core/text/nearest.ts'
import { escapeInline } from '../../../core/text/text.ts'
import { storeSecret } from '../../../core/vault/secrets.ts'
import {
  addable,
  type Given,
  givenValue,
  missingStep,
  optionalLines,
  probeLines,
  probeNetwork,
  type Section,
  secretNameOf,
  stepLines,
  stepsOf,
  withoutValue,
  withValue,
} from '../networks/setup.ts'
import { declare } from '../services.ts'
import {
  type Context,
  draftNamed,
  nameOf,
  networkNamed,
  refuseTwice,
  settingsOf,
  storing,
  takeOver,
  tellHowItWent,
} from './network-words.ts'

const page = { from: 0, size: 12 }

const newName = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'use lower-case letters, digits and -, a letter first')

/** `discord`, `discord-2`, …: the first that is free. */
function freeName(kind: string, taken: readonly string[]): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? kind : `${kind}-${n}`
    if (!taken.includes(name)) return name
  }
}

const add = declare({
  name: 'network add',
  summary: 'adds a network, step by step: its token, a test, the switches that are missing, its channels',
  role: 'owner',
  reply: 'private',
  where: 'dm',
  mutates: true,
  args: z.object({
    kind: z.string().max(40).optional().describe('the platform, or the name of a network that is being set up'),
    name: newName.optional().describe('what it is called here; without: as the platform'),
    force: z.boolean().default(false).meta({ flag: true }).describe('without looking whether it answers'),
  }),
  examples: [
    [
      'network add',
      /^which platform\? .*\nsay !network add PLATFORM/,
      'which platform? irc, discord, slack, telegram, matrix\nsay !network add PLATFORM NAME, e.g. !network add irc acme',
    ],
    ['network add discrod', /^no platform discrod/, 'no platform discrod; did you mean discord?'],
  ],
  async run(context, { kind, name, force }) {
    const { prefix } = context.settings
    const platforms = addable().map(each => each.kind)
    const offered = addable().flatMap(each => (each.unlisted ? [] : [each.kind]))
    if (kind === undefined) return whichPlatform(context, offered)
    const under = await draftNamed(context, name ?? kind)
    if (under && (name === undefined || under.config.kind === kind)) return goOn(context, under, {}, force)
    if (under) {
      throw new ChanopError(
        'conflict',
        `${under.name} is being set up as ${under.config.kind}: ${prefix}network add ${under.name} goes on, ${prefix}network del ${under.name} drops that`,
      )
    }
    if (Object.hasOwn(settingsOf(context).current.networks, kind) && name === undefined) {
      throw new ChanopError(
        'conflict',
        `${kind} is added already: ${prefix}network test ${kind} looks at it, ${prefix}network set ${kind} KEY VALUE changes it`,
      )
    }
    if (!platforms.includes(kind)) {
      const near = nearest(kind, platforms)
      throw new ChanopError(
        'not-found',
        `no platform ${kind}; ${near ? `did you mean ${near}?` : `there are ${offered.join(', ')}`}`,
      )
    }
    const drafts = (await context.ledger.read(networkDrafts)).map(draft => draft.name)
    const taken = [...Object.keys(settingsOf(context).current.networks), ...drafts]
    const own = name ?? freeName(kind, taken)
    if (taken.includes(own))
      throw new ChanopError(
        'conflict',
        `there is a network ${own} already: ${prefix}network set ${own} KEY VALUE changes it`,
      )
    const draft = { name: own, config: { kind }, by: nameOf(context), atMs: context.atMs }
    return { page, lines: nextLines(draft, prefix), effect: tx => keepNetworkDraft(tx, draft) }
  },
})

async function whichPlatform({ ledger, settings: { prefix } }: Context, platforms: readonly string[]) {
  const drafts = await ledger.read(networkDrafts)
  return {
    lines: [
      `which platform? ${platforms.join(', ')}`,
      `say ${prefix}network add PLATFORM NAME, e.g. ${prefix}network add ${platforms[0] ?? 'irc'} acme`,
      ...drafts.map(
        ({ name, config }) => `${name} (${config.kind}) is being set up: ${prefix}network add ${name} goes on`,
      ),
    ],
  }
}

/** What to do next about a network that is being set up. */
function nextLines({ name, config }: Pick<NetworkDraft, 'name' | 'config'>, prefix: string): string[] {
  const step = missingStep(config)
  return step ? stepLines(name, config, step, prefix) : optionalLines(name, config, prefix)
}

const cannotLook = (name: string, prefix: string, reason: string): string[] => [
  `${name} is not on yet: ${escapeInline(reason)}`,
  `correct it with ${prefix}network set ${name} KEY VALUE (none takes one away); ${prefix}network add ${name} tries again, with --force without looking`,
]

/** Asks for what is missing; else tests the network and turns it on. `secrets`: values that are stored only with the answer. */
async function goOn(
  context: Context,
  { name, config }: Pick<NetworkDraft, 'name' | 'config'>,
  secrets: Readonly<Record<string, string>>,
  force: boolean,
  effect: (tx: Tx) => void = () => undefined,
) {
  const { prefix } = context.settings
  if (missingStep(config)) return { page, effect, lines: nextLines({ name, config }, prefix) }
  const bot = context.services.bridge.context
  const keep = {
    ...(await soonOrLater({ bot, context, reply: 'private' }, name, signal =>
      finish(context, { name, config }, secrets, force, signal),
    )),
  }
  const found = keep.effect
  return {
    ...keep,
    page,
    effect: (tx: Tx): void => {
      effect(tx)
      found?.(tx)
    },
  }
}

async function finish(
  context: Context,
  { name, config }: Pick<NetworkDraft, 'name' | 'config'>,
  secrets: Readonly<Record<string, string>>,
  force: boolean,
  signal: AbortSignal,
): Promise<Found> {
  const { prefix } = context.settings
  const key = `networks.${name}`
  try {
    const store = storing(context, { [key]: config })
    const wanted = settingsOf(context).preview(key, config).networks[name]
    if (wanted) await refuseTwice(context, name, wanted, secrets)
    const probe =
      force || !wanted ? null : await probeNetwork(context.services.bridge.context, name, wanted, secrets, signal)
    return {
      lines: [
        ...(probe ? probeLines(name, probe) : []),
        `${name} is added and being connected; ${prefix}room link ROOM ${name}:CHANNEL puts a channel of it into a room`,
      ],
      effect: tx => {
        dropNetworkDraft(tx, name)
        store(tx)
      },
      committed: async () => {
        await takeOver(context)
        tellHowItWent(context, name, 'private')
      },
    }
  } catch (thrown) {
    return { lines: cannotLook(name, prefix, asChanopError(thrown).message) }
  }
}

const set = declare({
  name: 'network set',
  summary: 'changes one thing of a network, tested before it counts; tokens are sealed in the vault',
  role: 'owner',
  reply: 'private',
  where: 'dm',
  mutates: true,
  args: z.object({
    name: z.string().max(40),
    key: z.string().max(80),
    value: z.string().min(1).max(4000).meta({ rest: true, secret: true }),
  }),
  examples: [
    ['network set libra token abc', 'no network libra; did you mean libera?'],
    ['network set libera tken abc', "no key 'tken' of memory; did you mean token?"],
    ['network set libera textBytes 800', /^libera: textBytes is set/, 'libera: textBytes is set'],
  ],
  async run(context, { name, key, value }) {
    const draft = await draftNamed(context, name)
    if (draft && value.trim() === 'none') return unset(context, draft, key)
    const config = draft?.config ?? ((await networkNamed(context, name)) as Section)
    const given = givenValue(name, config, key, value.trim())
    const { locked } = context.services.bridge.context.vault
    if (given.secret && locked) throw new ChanopError('vault-locked', locked)
    return draft ? setDraft(context, draft, key, given) : setConfigured(context, name, key, given)
  },
})

/** Takes back what was given for a network that is being set up. */
function unset(context: Context, draft: NetworkDraft, key: string) {
  const next = { ...draft, config: withoutValue(draft.config, key), by: nameOf(context), atMs: context.atMs }
  const effect = (tx: Tx): void => {
    keepNetworkDraft(tx, next)
    dropSecret(tx, secretNameOf(next.name, key))
  }
  return { page, effect, lines: [`${next.name}: ${key} is taken away`, ...nextLines(next, context.settings.prefix)] }
}

const sealing =
  (context: Context, { secret }: Given) =>
  (tx: Tx): void => {
    const { vault } = context.services.bridge.context
    if (secret) storeSecret(tx, vault, secret.name, secret.value, nameOf(context), context.atMs)
  }

const unstored = ({ secret }: Given): Record<string, string> =>
  secret ? { [`secret:${secret.name}`]: secret.value } : {}

async function setDraft(context: Context, draft: NetworkDraft, key: string, given: Given) {
  const next = { ...draft, config: withValue(draft.config, key, given.value), by: nameOf(context), atMs: context.atMs }
  const seal = sealing(context, given)
  const effect = (tx: Tx): void => {
    seal(tx)
    keepNetworkDraft(tx, next)
  }
  const told = given.secret ? [`${next.name}: ${key} is sealed`] : [`${next.name}: ${key} is set`]
  const choices = stepsOf(next.config).some(({ optional }) => optional)
  if (missingStep(next.config) || choices) {
    return { page, effect, lines: [...told, ...nextLines(next, context.settings.prefix)] }
  }
  const found = await goOn(context, next, unstored(given), false, effect)
  return { ...found, lines: [...told, ...found.lines] }
}

/** What can't be looked at just now is stored all the same; what the platform refuses is not. */
async function setConfigured(context: Context, name: string, key: string, given: Given) {
  const bot = context.services.bridge.context
  const path = `networks.${name}.${key}`
  const store = storing(context, { [path]: given.value })
  const wanted = settingsOf(context).preview(path, given.value).networks[name]
  const seal = sealing(context, given)
  const work = async (signal: AbortSignal): Promise<Found> => {
    const seen: string[] = []
    try {
      if (wanted?.on) await refuseTwice(context, name, wanted, unstored(given))
      const probe = wanted ? await probeNetwork(bot, name, wanted, unstored(given), signal) : null
      if (probe) seen.push(...probeLines(name, probe))
    } catch (thrown) {
      const error = asChanopError(thrown)
      if (error.retry === 'never') return { lines: [`nothing was changed: ${escapeInline(error.message)}`] }
      seen.push(`it could not be tested: ${escapeInline(error.message)}`)
    }
    return {
      lines: [`${name}: ${key} is ${given.secret ? 'sealed' : 'set'}`, ...seen],
      effect: tx => {
        seal(tx)
        store(tx)
      },
      committed: async () => {
        await takeOver(context)
        if (wanted?.on) tellHowItWent(context, name, 'private', given.secret !== null)
      },
    }
  }
  return { ...(await soonOrLater({ bot, context, reply: 'private' }, name, work)), page }
}

export const networkSetupCommands = [add, set]
