import { z } from 'zod'
import { kinds } from '../adapters/index.ts'
import { nearest } from '../core/nearest.ts'
import { parseDuration } from '../core/text.ts'

/** `env:NAME` or `secret:NAME`: configuration holds references, never values. */
export const reference = z
  .string()
  .regex(/^(env|secret):[A-Za-z_][A-Za-z0-9_.-]*$/, 'write env:NAME or secret:NAME here, never the secret itself')

/** `network:channel`, split at the first colon. */
const place = z.string().regex(/^[^:\s]+:\S+$/, 'write network:channel, e.g. irc:#general')

/** Channels with a `#` are compared without case, everywhere; other ids as they are. */
const channel = place.overwrite(written => (/^[^:]+:[#&+]/.test(written) ? written.toLowerCase() : written))

const model = z.strictObject({
  provider: z.enum(['openai']).default('openai'),
  model: z.string(),
  apiKey: reference,
  baseUrl: z.url().nullable().default(null),
  priority: z.int().default(1),
  weight: z.int().min(0).max(1000).default(100),
  price: z.strictObject({ inputPerMillion: z.number().min(0), outputPerMillion: z.number().min(0) }),
  contextTokens: z.int().positive(),
})

/**
 * Modes of a channel that are plain switches. Not those that Chanop itself uses to keep it (`P`, `r`, `H`, `w`), nor
 * those with an argument: they would be a list, a key or a person.
 */
export const channelModes = z
  .string()
  .regex(/^(?:[+-][ACGKMNQRSTUcimnpst]+){1,2}$/, 'write modes that are plain switches, e.g. +im or +m-t')

const room = z.strictObject({
  places: z.array(channel).min(1),
  /** Everyone may read an open room's history. */
  open: z.boolean().default(false),
  /** Relay joins and parts between the room's places. */
  joins: z.boolean().default(false),
})

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

const network = z.union(kinds.map(kind => kind.schema) as unknown as [z.ZodType<{ kind: string }>])

/** A place is in one room, or two conversations would run into each other; and its network is a configured one. */
function checkRooms(config: z.output<typeof shape>, context: z.RefinementCtx): void {
  const holders = new Map<string, string>()
  for (const [name, { places }] of Object.entries(config.rooms)) {
    for (const [at, place] of places.entries()) {
      const wrong = (message: string): void =>
        context.addIssue({ code: 'custom', path: ['rooms', name, 'places', at], message })
      const holder = holders.get(place)
      const network = place.slice(0, place.indexOf(':'))
      if (holder !== undefined) wrong(`${place} is in the room ${holder} already; a place is in one room, and once`)
      else if (!Object.hasOwn(config.networks, network)) wrong(missingNetwork(network, Object.keys(config.networks)))
      else if (place.startsWith(`${network}:@`)) wrong('a direct conversation is never bridged; name a channel')
      holders.set(place, name)
    }
  }
}

function missingNetwork(network: string, names: readonly string[]): string {
  const near = nearest(network, names)
  return `there is no network '${network}'; ${near ? `did you mean '${near}'?` : `networks are: ${names.join(', ') || 'none yet'}`}`
}

const shape = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, 'use lower-case letters, digits and -')
    .default('chanop'),
  /** `network:account` of the first owner. */
  owner: place.default('irc:owner'),
  redis: z.strictObject({ url: z.string().nullable().default(null) }).prefault({}),
  irc: z
    .strictObject({
      /** Which managed server to run: null takes Ergo when it is there, else InspIRCd with Anope. */
      server: z.enum(['ergo', 'inspircd']).nullable().default(null),
    })
    .prefault({}),
  networks: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'use lower-case letters, digits and -'), network),
  rooms: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,60}$/, 'use lower-case letters, digits, - and _'), room)
    .default({}),
  commands: z
    .strictObject({
      prefix: z.string().min(1).max(3).default('!'),
      perMinute: z.int().min(1).max(60_000).default(60),
      burst: z.int().min(1).max(10_000).default(20),
      /** Seconds in which a confirmation code can be used. */
      confirmSeconds: z.int().min(5).max(3600).default(60),
      /** Lines said at once before `!more`. */
      lines: z.int().min(1).max(20).default(4),
    })
    .prefault({}),
  channels: z
    .strictObject({
      /** How long before its end a channel hears of it. */
      warnSeconds: z.int().min(0).max(86_400).default(600),
      /** By the beginning of a channel's name, without `#`. */
      types: z
        .record(
          z.string().regex(/^[a-z0-9][a-z0-9_-]{0,40}$/, 'write how the names begin, without #, e.g. task-'),
          channelType,
        )
        .default({}),
    })
    .prefault({}),
  /** Groups of agents, whether agents are there, and the words that stop them. */
  fleet: z
    .strictObject({
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
    })
    .prefault({}),
  /** `network:user` to the time (Unix ms) until which they are neither relayed nor obeyed; null: for good. */
  ignore: z.record(place, z.int().nullable()).default({}),
  models: z.record(z.string(), model).default({}),
  budget: z
    .strictObject({
      dailyUsd: z.number().min(0).default(5),
      monthlyUsd: z.number().min(0).default(50),
      perPersonDailyUsd: z.number().min(0).default(1),
      alertsAtPercent: z.array(z.int().min(1).max(100)).default([50, 80, 90]),
      hard: z.boolean().default(true),
    })
    .prefault({}),
  scribe: z
    .strictObject({
      files: z
        .strictObject({
          format: z.enum(['jsonl', 'csv', 'text']).default('jsonl'),
          rotate: z.enum(['daily', 'weekly', 'monthly', 'size']).default('daily'),
          maxMegabytes: z.int().min(1).default(100),
          keepDays: z.int().min(1).default(365),
        })
        .nullable()
        .prefault({}),
      retentionDays: z.int().min(1).nullable().default(null),
    })
    .prefault({}),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
})

/** `config/chanop.yaml`, see `config/example.yaml`. Unknown keys are errors. */
export const configSchema = shape.superRefine(checkRooms)

export type Config = z.output<typeof configSchema>
