import { z } from 'zod'
import { kinds } from '../adapters/index.ts'
import { address, reference } from '../core/config/fields.ts'
import { holdsLogin, isLoopbackHost, noLogin } from '../core/loopback.ts'
import { nearest } from '../core/text/nearest.ts'
import { parseDuration } from '../core/text/text.ts'
import { section } from '../core/zod.ts'
import { isLoopback, providerNames, providerOf } from './providers.ts'
import { account, checkRooms, oracleMode, room } from './rooms.ts'

const usd = z.number().min(0).max(1_000_000)
/** Seconds within which undici itself does not hang up. */
const waitSeconds = z.int().min(1).max(300)

/** Of a million tokens. One typed per token is a thousand times too cheap or dear, and both were met. */
const perMillion = z
  .number()
  .refine(
    usd => usd === 0 || (usd >= 0.001 && usd <= 1000),
    'write US dollars for a million tokens, 0.001 to 1000, or 0 when it is free',
  )

const model = z
  .strictObject({
    provider: z.enum(providerNames).default('openai'),
    /** As the service calls it. */
    model: z.string().min(1).max(200),
    apiKey: reference.nullable().default(null),
    baseUrl: z
      .url({ protocol: /^https?$/, error: 'write a URL that begins with http:// or https://' })
      .refine(url => !holdsLogin(url), noLogin)
      .nullable()
      .default(null),
    on: z.boolean().default(true),
    /** Lower ones are asked first. */
    priority: z.int().min(0).max(1000).default(1),
    /** Share among models of the same priority. */
    weight: z.int().min(0).max(1000).default(100),
    price: z
      .strictObject({
        inputPerMillion: perMillion,
        outputPerMillion: perMillion,
        /** Input that the provider had in its cache; null: as other input. */
        cachedPerMillion: perMillion.nullable().default(null),
      })
      .nullable()
      .default(null),
    contextTokens: z.int().min(256).max(100_000_000).default(8192),
    maxOutputTokens: z.int().min(1).max(1_000_000).default(4096),
    firstTokenSeconds: waitSeconds.default(300),
    betweenChunksSeconds: waitSeconds.default(60),
    images: z.boolean().default(false),
    tools: z.boolean().default(false),
    /** It makes embeddings, and answers nobody. */
    embeddings: z.boolean().default(false),
  })
  .superRefine((given, context) => {
    const { baseUrl, key } = providerOf(given.provider)
    const wrong = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    const url = given.baseUrl ?? baseUrl
    if (url === null) wrong('baseUrl', `give the address of the service, e.g. http://127.0.0.1:8000/v1`)
    else if (isLoopback(url)) return
    if (key !== null && given.apiKey === null) wrong('apiKey', `write env:${key} or secret:${key}`)
    if (given.price === null) {
      wrong('price', 'say what a million tokens cost, e.g. { inputPerMillion: 0.4, outputPerMillion: 1.6 }; 0 is free')
    }
  })

const modelNames = z.array(z.string()).min(1)

/** What runs when it is opened. */
const programEndings =
  'exe scr com pif bat cmd msi msp cpl hta jar js jse vbs vbe wsf wsh ps1 lnk reg scf url apk app dmg pkg'.split(' ')

/** Null: no limit. */
const limits = z.strictObject({
  dailyUsd: usd.nullable().default(null),
  monthlyUsd: usd.nullable().default(null),
  /** false: it is told and goes on. */
  hard: z.boolean().default(true),
})

/**
 * Modes of a channel that are plain switches. Not those that Chanop itself uses to keep it (`P`, `r`, `H`, `w`), nor
 * those with an argument: they would be a list, a key or a person.
 */
export const channelModes = z
  .string()
  .regex(/^(?:[+-][ACGKMNQRSTUcimnpst]+){1,2}$/, 'write modes that are plain switches, e.g. +im or +m-t')

/** What channels whose name begins alike have in common. */
const channelType = z.strictObject({
  /** In IRC's notation. */
  modes: z.union([z.literal(''), channelModes]).default(''),
  /** How long such a channel lives; null: for ever. */
  ttl: z
    .string()
    .refine(value => (parseDuration(value) ?? 0) > 0, 'write a time, e.g. 2h or 3d')
    .nullable()
    .default(null),
  /** Selectors of agents that enter by themselves: `@worker`, `@build-*`, a name. */
  join: z.array(z.string().regex(/^\S{1,100}$/, 'write a selector, e.g. @worker')).default([]),
  /** Said privately to each agent that enters, with `{nick}` and `{channel}`. */
  greeting: z.string().max(1000).default(''),
})

/** Whatever its kind, a network can be turned off: it keeps its settings, and what is said to it waits. */
function switchable(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodUnion) return z.union((schema.options as z.ZodType[]).map(switchable))
  if (schema instanceof z.ZodObject) return schema.safeExtend({ on: z.boolean().default(true) })
  throw new Error('the schema of a network is an object, or a union of such')
}

const network = z.union(
  kinds.map(kind => switchable(kind.schema)) as unknown as [z.ZodType<{ kind: string; on: boolean }>],
)

/** A URL or the path of a socket: of anything else ioredis would make the name of a host. */
function isRedisUrl(url: string): boolean {
  if (url.startsWith('/')) return !url.startsWith('//')
  const parsed = URL.parse(url)
  return parsed !== null && /^rediss?:$/.test(parsed.protocol) && parsed.hostname !== ''
}

/** Whoever reaches a Redis without a password can ring and read our bell. */
function guarded(url: string): boolean {
  const parsed = URL.parse(url)
  return !parsed?.hostname || parsed.password !== '' || isLoopbackHost(parsed.hostname)
}

const shortName = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'use lower-case letters, digits and -')

const shape = z.strictObject({
  name: shortName.default('chanop'),
  /** `network:account` of the first owner. */
  owner: account.default('irc:owner'),
  redis: section({
    url: z
      .string()
      .refine(isRedisUrl, 'write an address such as redis://HOST:6379, or the path of a socket')
      .refine(guarded, 'a Redis beyond this machine needs a password: redis://:PASSWORD@HOST:6379/0')
      .nullable()
      .default(null),
  }),
  irc: section({
    /** Which managed server to run: null takes Ergo when it is there, else InspIRCd with Anope. */
    server: z.enum(['ergo', 'inspircd']).nullable().default(null),
  }),
  networks: z.record(shortName, network),
  rooms: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,60}$/, 'use lower-case letters, digits, - and _'), room)
    .default({}),
  commands: section({
    prefix: z
      .string()
      .regex(/^[!$%&*+,\-./:;<=>?\\^_|~]{1,3}$/, 'use 1 to 3 punctuation marks, such as ! or .')
      .default('!'),
    perMinute: z.int().min(1).max(60_000).default(60),
    burst: z.int().min(1).max(10_000).default(20),
    /** Seconds in which a confirmation code can be used. */
    confirmSeconds: z.int().min(5).max(3600).default(60),
    /** Lines said at once before `!more`. */
    lines: z.int().min(1).max(20).default(4),
  }),
  channels: section({
    /** How long before its end a channel hears of it. */
    warnSeconds: z.int().min(0).max(86_400).default(600),
    /** By the beginning of a channel's name, without `#`. */
    types: z
      .record(
        z.string().regex(/^[a-z0-9][a-z0-9_-]{0,40}$/, 'write how the names begin, without #, e.g. task-'),
        channelType,
      )
      .default({}),
  }),
  /** Files that came with messages, on their way to the other places. */
  media: section({
    /** The largest file that is copied. */
    fileMegabytes: z.int().min(1).max(2000).default(50),
    /** All copies together: what was not used for the longest time goes first. */
    totalMegabytes: z.int().min(1).max(1_000_000).default(2000),
    /** For so long a copy stays after its last use. */
    keepDays: z.int().min(1).max(3650).default(30),
    /** Endings of names that are not passed on. */
    refuse: z
      .array(z.string().regex(/^[a-z0-9]{1,16}$/, 'write an ending without its dot, in lower case, e.g. exe'))
      .default(programEndings),
    /** Where a platform takes no file, or none so large: a link to it, that ends. */
    links: section({
      /** Where its server listens; null: there are no links. */
      listen: address('127.0.0.1:8643', 0).nullable().default(null),
      /** How others write its address, with a proxy before it; null: as it listens. */
      url: z
        .url({ protocol: /^https?$/, error: 'write a URL that begins with https://' })
        .nullable()
        .default(null),
      hours: z.int().min(1).max(8760).default(168),
    }),
  }),
  /** Groups of agents, whether agents are there, and the words that stop them. */
  fleet: section({
    /** Who may address a group by a mention (`@worker status`). Agents need `call` in their engagement. */
    role: z.enum(['owner', 'operator', 'member', 'guest']).default('member'),
    /** For how long answers to a group's call are counted. */
    answerSeconds: z.int().min(1).max(3600).default(60),
    /** In which agents have to answer to `stop`, `pause` and `resume`. */
    stopSeconds: z.int().min(1).max(60).default(5),
    /** Calls of groups by one person, and in one room. */
    perPersonPerMinute: z.int().min(1).max(600).default(6),
    perRoomPerMinute: z.int().min(1).max(600).default(12),
    /** More than these are never woken by one call. */
    most: z.int().min(1).max(10_000).default(1000),
    /** How many agents may call further agents because one called them: 0 is none, whatever their engagement says. */
    hops: z.int().min(0).max(5).default(1),
    /** Without a word or another sign for so long, an agent that is there is idle. */
    idleMinutes: z.int().min(1).max(10_080).default(10),
    /** An agent that sends heartbeats and then gives no sign for so long is offline, though its connection stands. */
    offlineMinutes: z.int().min(1).max(10_080).default(5),
    /** The room, or `network:channel`, that hears of agents that are down and back; null: nobody does. */
    alertRoom: z.string().min(1).max(200).nullable().default('ops'),
    /** An agent that is back within this time was never down. */
    alertSeconds: z.int().min(0).max(86_400).default(30),
    /** Who was not seen for so long is forgotten; agents are named to the alert room instead. Null: never. */
    reapDays: z.int().min(1).max(3650).nullable().default(90),
  }),
  /** `network:user` to the time (Unix ms) until which they are neither relayed nor obeyed; null: for good. */
  ignore: z.record(account, z.int().nullable()).default({}),
  /** IANA name, e.g. Europe/Berlin; null: this machine's. When a day begins, and what time it is for the oracle. */
  timezone: z.string().refine(isTimezone, 'write a name such as Europe/Berlin or UTC').nullable().default(null),
  models: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,60}$/, 'use lower-case letters, digits, ., - and _'), model)
    .default({}),
  /** Which models are asked, by their names above, where it is not all of them. */
  modelsFor: section({
    /** By the kind of work. */
    tasks: section({
      answer: modelNames.nullable().default(null),
      summary: modelNames.nullable().default(null),
      guard: modelNames.nullable().default(null),
      memory: modelNames.nullable().default(null),
    }),
    /** For answers in a room; `network:channel` of a place in none. */
    rooms: z.record(z.string(), modelNames).default({}),
  }),
  /** When and how the oracle answers. */
  oracle: section({
    /** In places that are in no room; rooms have their own. */
    mode: oracleMode.default('mention'),
    /** What is asked while an answer to the same person is under way: answered after it, or together with what else waits. */
    followUps: z.enum(['queue', 'merge']).default('queue'),
    /** Questions that may wait in one room or thread. */
    queue: z.int().min(1).max(100).default(10),
    /** Answers under way at once, in all rooms together. */
    together: z.int().min(1).max(500).default(50),
    /** Programs that may ask, as `network:user`; registered agents need `ask` in their engagement. */
    bots: z.array(account).default([]),
    /** Answers to one program in ten minutes, and answers in a row in which no person spoke. */
    perBot: z.int().min(1).max(1000).default(6),
    botsInARow: z.int().min(1).max(100).default(4),
    /** Most tokens of a prompt, whatever the model could take: what each answer costs. */
    promptTokens: z.int().min(500).max(2_000_000).default(8000),
    /** Lines that are left out of prompts are put into a few words by a model (task `summary`). */
    summaries: z.boolean().default(true),
  }),
  /** Before and after an answer. What is always on is no setting. */
  guards: section({
    /** A model (`modelsFor.tasks.guard`) is asked whether a question may be answered. */
    content: z.boolean().default(false),
    /** A model is asked to repeat a question; one that obeys it instead shows that it holds instructions. */
    echo: z.boolean().default(false),
    echoSimilarity: z.number().min(0).max(1).default(0.7),
    /** When a guard that is on can't be asked. */
    whenDown: z.enum(['refuse', 'answer']).default('refuse'),
    /** Links to these hosts are shown as links, whether the conversation held them or not. */
    linkHosts: z.array(z.string().regex(/^[a-z0-9.-]+$/, 'write a host such as example.org')).default([]),
  }),
  budget: section({
    dailyUsd: usd.default(5),
    monthlyUsd: usd.default(50),
    perPersonDailyUsd: usd.default(1),
    perPersonMonthlyUsd: usd.nullable().default(null),
    perAgentDailyUsd: usd.nullable().default(1),
    perAgentMonthlyUsd: usd.nullable().default(null),
    perRoomDailyUsd: usd.nullable().default(null),
    perRoomMonthlyUsd: usd.nullable().default(null),
    /** By the name of a person, an agent, a room, a model: wins over the general ones. */
    people: z.record(z.string(), limits).default({}),
    agents: z.record(z.string(), limits).default({}),
    rooms: z.record(z.string(), limits).default({}),
    models: z.record(z.string(), limits).default({}),
    alertsAtPercent: z.array(z.int().min(1).max(100)).default([50, 80, 90]),
    hard: z.boolean().default(true),
  }),
  scribe: section({
    files: z
      .strictObject({
        format: z.enum(['jsonl', 'csv', 'text']).default('jsonl'),
        rotate: z.enum(['daily', 'weekly', 'monthly', 'size']).default('daily'),
        maxMegabytes: z.int().min(1).default(100),
        keepDays: z.int().min(1).default(365),
      })
      .nullable()
      .prefault({}),
    /** Files of the first release have it: what was said is kept. */
    retentionDays: z.null().default(null),
  }),
  retention: section({
    deliveriesDays: z.int().min(1).nullable().default(30),
    ordersDays: z.int().min(90).nullable().default(90),
    auditReadsDays: z.int().min(1).nullable().default(90),
  }),
  /** How `!backup` and `npm run backup` lock what they write, when nothing else is said. */
  backup: z
    .strictObject({
      /** Public key of age: only its holder opens the file. */
      recipient: z
        .string()
        .regex(/^age1[0-9a-z]{50,2500}$/, 'write a public key of age (age-keygen shows it): age1…')
        .nullable()
        .default(null),
      passphrase: reference.nullable().default(null),
    })
    .refine(given => given.recipient === null || given.passphrase === null, {
      path: ['passphrase'],
      error: 'set one of backup.recipient and backup.passphrase, not both',
    })
    .prefault({}),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
})

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** What `modelsFor` names is there. */
function checkModels(config: z.output<typeof shape>, context: z.RefinementCtx): void {
  const known = Object.keys(config.models)
  const check = (path: readonly string[], names: readonly string[] | null): void => {
    for (const name of names ?? []) {
      if (known.includes(name)) continue
      const near = nearest(name, known)
      const message = `there is no model '${name}'; ${near ? `did you mean '${near}'?` : `models are: ${known.join(', ') || 'none yet'}`}`
      context.addIssue({ code: 'custom', path: ['modelsFor', ...path], message })
    }
  }
  for (const [task, names] of Object.entries(config.modelsFor.tasks)) check(['tasks', task], names)
  for (const [room, names] of Object.entries(config.modelsFor.rooms)) check(['rooms', room], names)
}

/** `config/chanop.yaml`, see `config/example.yaml`. Unknown keys are errors. */
export const configSchema = shape.superRefine(checkRooms).superRefine(checkModels)

export type Config = z.output<typeof configSchema>
