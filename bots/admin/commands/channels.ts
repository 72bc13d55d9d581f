import { z } from 'zod'
import { managedNetworks } from '../../../config/networks.ts'
import { channelModes } from '../../../config/schema.ts'
import { byOf, changes } from '../../../core/command/command.ts'
import { named, rest } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { formatPlace, type Place } from '../../../core/event.ts'
import { agents } from '../../../core/ledger/agents/agents.ts'
import { membersOf } from '../../../core/ledger/people/members.ts'
import { dropChannel, type KeptChannel, keptChannel, storeChannel } from '../../../core/ledger/settings/channels.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { counted, escapeInline, time, truncate } from '../../../core/text/text.ts'
import {
  applied,
  brought,
  channel,
  channelsKnown,
  configOf,
  endOf,
  fresh,
  known,
  listed,
  meant,
  refuseConfigured,
  traits,
  typeNamed,
} from '../channels/asking.ts'
import { modesChange, natureOf } from '../channels/nature.ts'
import { releaseOrder } from '../channels/orders.ts'
import { known as knownIn } from '../known.ts'
import { type Context, declare } from '../services.ts'

const add = declare({
  name: 'channel add',
  summary: 'makes a channel that stays, by the type its name begins with',
  ...changes('operator'),
  args: z.object({
    channel,
    type: named(z.string(), 'another type than the name says, or none'),
    ttl: named(z.string().meta({ type: 'duration' }), 'how long it lives: 2h, 3d, never'),
    topic: z.string().max(300).optional().meta({ rest: true }),
  }),
  examples: [
    ['!channel add #build', 'irc:#build is kept'],
    ['!channel add #release-7 ttl=2h what is left to do', 'irc:#release-7 is kept: ends in 2h'],
  ],
  async run(context, { channel, type, ttl, topic }) {
    const place = meant(context, channel)
    const config = configOf(context)
    const base = fresh(context, place)
    const typed = { ...base, ...(type === undefined ? {} : { type: typeNamed(context, type) }), topic: topic ?? '' }
    const { ttlMs, modes, join } = natureOf(config.channels.types, typed)
    const untilMs = ttl === undefined ? (ttlMs === null ? null : context.atMs + ttlMs) : endOf(context, ttl)
    const kept = { ...typed, untilMs }
    if (untilMs !== null) refuseConfigured(context, place, 'so that it has no end')
    return {
      effect: db => {
        if (keptChannel(db, place)) {
          throw new ChanopError('conflict', `${formatPlace(place)} is kept already: !channel show ${place.channel}`)
        }
        storeChannel(db, kept)
      },
      orders: [
        applied(context, kept, { modes }, `${escapeInline(formatPlace(kept))} is kept${listed(context, kept)}`),
        ...(await brought(context, place, join)),
      ],
    }
  },
})

const list = declare({
  name: 'channel list',
  aliases: ['channels'],
  summary: 'the channels of the networks we run that you may enter, and what is special about each',
  role: 'member',
  reply: 'private',
  examples: [['!channel list', 'irc:#general · 2 in\nirc:#ops · 0 in\nlibera:#general · 0 in']],
  async run(context) {
    const config = configOf(context)
    const lines = await context.ledger.read(db =>
      managedNetworks(config).flatMap(network =>
        channelsKnown(db, context, network, 'private').map(each => {
          const parts = [`${membersOf(db, each).length} in`, ...traits(context, each)]
          return escapeInline(`${formatPlace(each)} · ${parts.join(', ')}`)
        }),
      ),
    )
    const none = `no channel that you may enter is kept here: ${context.settings.prefix}channel add #name`
    return { lines: lines.length > 0 ? lines : [none] }
  },
})

const show = declare({
  name: 'channel show',
  summary: 'one channel: type, modes, topic, instructions, end',
  role: 'member',
  reply: 'private',
  args: z.object({ channel }),
  examples: [['!channel show #general', 'irc:#general · 2 in\nmade by the configuration']],
  async run(context, { channel }) {
    const place = meant(context, channel)
    return {
      lines: await context.ledger.read(db => {
        const kept = known(db, context, place)
        const { greeting, join } = natureOf(configOf(context).channels.types, kept)
        const parts = [`${membersOf(db, kept).length} in`, ...traits(context, kept)]
        const made = keptChannel(db, place)
          ? `made by ${kept.createdBy}, ${time(kept.createdMs)}`
          : 'made by the configuration'
        return [
          `${formatPlace(place)} · ${parts.join(', ')}`,
          kept.topic && `topic: ${kept.topic}`,
          greeting && `instructions: ${truncate(greeting, 300)}`,
          join.length > 0 && `enter by themselves: ${join.join(', ')}`,
          made,
        ]
          .filter(line => typeof line === 'string' && line !== '')
          .map(line => escapeInline(line as string))
      }),
    }
  },
})

const settable = ['type', 'ttl', 'greeting', 'modes'] as const
const usual = 'default'

/** The channel with one property changed; `default` is what its type says. */
function changed(context: Context, kept: KeptChannel, key: (typeof settable)[number], value: string): KeptChannel {
  const { types } = configOf(context).channels
  if (key === 'type') return { ...kept, type: typeNamed(context, value) }
  if (key === 'greeting') return { ...kept, greeting: value === usual ? '' : value }
  if (key === 'ttl') {
    const { ttlMs } = natureOf(types, kept)
    if (value === usual) return { ...kept, untilMs: ttlMs === null ? null : context.atMs + ttlMs }
    return { ...kept, untilMs: endOf(context, value) }
  }
  const modes = value === usual ? '' : value
  const checked = channelModes.safeParse(modes)
  if (modes !== '' && !checked.success) {
    throw new ChanopError('usage', `'${modes.slice(0, 20)}': ${checked.error.issues[0]?.message ?? 'no modes'}`)
  }
  return { ...kept, modes }
}

/** Who asks for it in the channel may have silenced themselves. */
const muting = (modes: string, place: Place): string =>
  /\+[^-]*m/.test(modes)
    ? ` · who has no voice there is heard no more; !channel set ${formatPlace(place)} modes -m, said to me alone, undoes it`
    : ''

const set = declare({
  name: 'channel set',
  summary: 'changes type, time to live, on-join instructions or modes of a channel',
  ...changes('operator'),
  scope: 'room',
  args: z.object({
    channel,
    key: z.enum(settable),
    value: rest().max(1000).describe('or default: what the type says'),
  }),
  examples: [
    [
      '!channel set #general modes +m',
      /^irc:#general: \+m · who has no voice/,
      'irc:#general: +m · who has no voice there is heard no more; !channel set irc:#general modes -m, said to me alone, undoes it',
    ],
    [
      '!channel set #general greeting Welcome {nick}, read the topic of {channel} first',
      'irc:#general: instructions set',
    ],
    ['!channel set #general modes +k', "'+k': write modes that are plain switches, e.g. +im or +m-t"],
  ],
  async run(context, { channel, key, value }) {
    const place = meant(context, channel)
    const { types } = configOf(context).channels
    const before = await context.ledger.read(db => known(db, context, place, 'ruled'))
    const kept = changed(context, before, key, value)
    if (kept.untilMs !== null) refuseConfigured(context, place, 'so that it has no end')
    const now = natureOf(types, kept)
    const said =
      key === 'greeting' ? `instructions ${now.greeting ? 'set' : 'taken away'}` : traits(context, kept).join(', ')
    const modes = modesChange(natureOf(types, before).modes, now.modes)
    const done = escapeInline(`${formatPlace(place)}: ${said || `no ${key} of its own`}${muting(modes, place)}`)
    const effect = (db: Tx): void => {
      // Somebody may have dropped or changed it since it was read.
      storeChannel(db, changed(context, known(db, context, place), key, value))
    }
    const coming = key === 'type' ? await brought(context, place, now.join) : []
    const touches = key === 'modes' || key === 'type'
    return touches
      ? { effect, orders: [applied(context, kept, { modes }, done), ...coming] }
      : { lines: [done], effect }
  },
})

const topic = declare({
  name: 'channel topic',
  summary: 'sets a channel’s topic, or shows it',
  ...changes('operator'),
  scope: 'room',
  args: z.object({ channel, topic: z.string().max(300).optional().meta({ rest: true }) }),
  examples: [['!channel topic #general all that matters', 'irc:#general: all that matters']],
  async run(context, { channel, topic: said }) {
    const place = meant(context, channel)
    const { kept, told } = await context.ledger.read(db => ({
      kept: known(db, context, place, 'ruled'),
      told: knownIn(db, context, 'public').place(place),
    }))
    if (said === undefined) {
      const line = escapeInline(`${formatPlace(place)}: ${kept.topic || 'no topic of ours'}`)
      return { lines: [line], reply: told ? 'public' : 'private' }
    }
    const next = { ...kept, topic: said }
    return {
      effect: db => storeChannel(db, { ...known(db, context, place), topic: said }),
      orders: [applied(context, next, { modes: '' }, escapeInline(`${formatPlace(place)}: ${said}`))],
    }
  },
})

const members = declare({
  name: 'channel members',
  summary: 'who is in a channel: agents with their type, and people',
  role: 'member',
  reply: 'private',
  args: z.object({ channel }),
  examples: [['!channel members #general', 'irc:#general: 1 agent: worker-001 (worker) · 1 person: bob']],
  async run(context, { channel }) {
    const place = meant(context, channel)
    const line = await context.ledger.read(db => {
      known(db, context, place)
      const types = new Map(agents(db).map(({ network, name, type }) => [`${network}:${name}`, type]))
      const all = membersOf(db, place).map(each => ({ ...each, type: types.get(`${place.network}:${each.user}`) }))
      const programs = all.filter(({ type }) => type !== undefined).map(({ name, type }) => `${name} (${type})`)
      const people = all.filter(({ type }) => type === undefined).map(({ name }) => name)
      return [namedAll(programs, 'agent'), namedAll(people, 'person', 'people')].filter(Boolean)
    })
    return escapeInline(`${formatPlace(place)}: ${line.join(' · ') || 'nobody but us'}`)
  },
})

const namedAll = (names: readonly string[], one: string, many?: string): string =>
  names.length === 0 ? '' : `${counted(names.length, one, many)}: ${names.join(', ')}`

const lockOf = (locked: boolean) =>
  declare({
    name: locked ? 'channel lock' : 'channel unlock',
    summary: locked ? 'only operators may address agents there' : 'everybody may address agents there again',
    ...changes('operator'),
    scope: 'room',
    args: z.object({ channel }),
    examples: [
      locked
        ? ['!channel lock #general', 'irc:#general is locked: only operators may address agents there']
        : ['!channel unlock #general', 'irc:#general is not locked'],
    ],
    async run(context, { channel }) {
      const place = meant(context, channel)
      return {
        effect: db => {
          const kept = known(db, context, place, 'ruled')
          const same = kept.locked === locked
          if (!same) storeChannel(db, { ...kept, locked })
          const name = escapeInline(formatPlace(place))
          if (!locked) return [same ? `${name} is not locked` : `${name} is open: everybody may address agents there`]
          return [`${name} is locked${same ? ' already' : ''}: only operators may address agents there`]
        },
      }
    },
  })

const del = declare({
  name: 'channel del',
  summary: 'gives a channel up: everybody is put out, and it is kept no longer',
  ...changes('operator'),
  args: z.object({ channel }),
  async confirm({ channel }, context) {
    const place = meant(context, channel)
    refuseConfigured(context, place, 'so that it can not be deleted')
    const inside = await context.ledger.read(db => (known(db, context, place), membersOf(db, place)))
    const text = escapeInline(
      `gives up ${formatPlace(place)} and puts out the ${inside.length} in it; what was said stays in the record`,
    )
    return { text, of: [formatPlace(place), ...inside.map(({ user }) => user).sort()] }
  },
  examples: [
    [
      '!channel del #general',
      'irc:#general is in the configuration, so that it can not be deleted: !room unlink it and !part it first',
    ],
  ],
  async run(context, { channel }) {
    const place = meant(context, channel)
    const by = byOf(context.caller)
    return {
      effect: db => {
        if (!dropChannel(db, place)) throw new ChanopError('conflict', `${formatPlace(place)} was given up already`)
      },
      orders: [
        {
          order: releaseOrder(place, `${by} closed ${place.channel}`, `${context.event.seq}`),
          done: `${escapeInline(formatPlace(place))} is given up`,
          failed: `${escapeInline(formatPlace(place))} is kept no longer, but the server did not close it: {reason}`,
        },
      ],
    }
  },
})

export const channelCommands = [add, list, show, set, topic, members, lockOf(true), lockOf(false), del]
