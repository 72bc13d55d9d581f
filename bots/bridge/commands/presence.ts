import { z } from 'zod'
import { identify } from '../../../core/access/identity.ts'
import { includes } from '../../../core/access/role.ts'
import { durationMs, nameOf } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import type { NetworkId, Sender, UserId } from '../../../core/event.ts'
import { keysBehind } from '../../../core/ledger/settings/api-keys.ts'
import { dropSetting, storeSetting } from '../../../core/ledger/settings/settings.ts'
import { removed } from '../../../core/settings/settings-merge.ts'
import { duration, escapeInline } from '../../../core/text/text.ts'
import { declare } from '../services.ts'
import { takeOver } from './network-words.ts'
import { changing, channelsOf, channelToEnter, placeMeant, written } from './places.ts'

const joinPlace = declare({
  name: 'join',
  summary: 'the bots enter a channel, and stay in it over restarts',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({ place: nameOf('place').describe('network:channel, or #channel of this network') }),
  examples: [['!join #dev', 'in irc:#dev']],
  async run(context, { place }) {
    const target = channelToEnter(context, place)
    const channels = channelsOf(context, target.network)
    const key = `networks.${target.network}.channels`
    const known = channels.some(channel => channel.toLowerCase() === target.channel)
    const change = known ? {} : changing(context, { [key]: [...channels, target.channel] })
    return {
      lines: [],
      ...change,
      orders: [
        {
          order: {
            key: `join.${context.event.seq}`,
            network: target.network,
            kind: 'place.join',
            args: { channel: target.channel },
          },
          done: `in ${escapeInline(written(target))}`,
          failed: `not in ${escapeInline(written(target))}: {reason}`,
        },
      ],
    }
  },
})

const partPlace = declare({
  name: 'part',
  summary: 'the bots leave a channel',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({
    place: nameOf('place').describe('network:channel, or #channel of this network'),
    reason: z.string().max(200).optional().meta({ rest: true }),
  }),
  examples: [
    [
      '!part #general',
      /^irc:#general is in the room general: !room unlink/,
      'irc:#general is in the room general: !room unlink general irc:#general first',
    ],
  ],
  async run(context, { place, reason }) {
    const target = placeMeant(context, place)
    const room = context.services.bridge.context.rooms.of(target)
    if (room) {
      throw new ChanopError(
        'conflict',
        `${written(target)} is in the room ${room.name}: !room unlink ${room.name} ${written(target)} first`,
      )
    }
    const channels = channelsOf(context, target.network)
    const left = channels.filter(channel => channel.toLowerCase() !== target.channel)
    return {
      lines: [],
      ...(left.length === channels.length ? {} : changing(context, { [`networks.${target.network}.channels`]: left })),
      orders: [
        {
          order: {
            key: `part.${context.event.seq}`,
            network: target.network,
            kind: 'place.part',
            args: { channel: target.channel, reason: reason ?? `${context.caller.name} asked for it` },
          },
          done: `left ${escapeInline(written(target))}`,
          failed: `still in ${escapeInline(written(target))}: {reason}`,
        },
      ],
    }
  },
})

const someone = z
  .string()
  .regex(/^[a-z][a-z0-9-]*:\S+$/, 'write network:account, e.g. irc:bob; !log show tells who wrote a message')
  .meta({ type: 'person' })
  .describe('network:account')

const ignore = declare({
  name: 'ignore add',
  aliases: ['ignore'],
  summary: 'somebody is neither relayed nor obeyed, for good or for a time',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({ who: someone, for: durationMs().optional().meta({ named: true }) }),
  examples: [['!ignore add irc:mallory for=30m', 'irc:mallory is ignored for 30m']],
  async run(context, { who, for: forMs }) {
    const { settings, ledger } = context.services.bridge.context
    const { caller, atMs } = context
    const [, network = '', user = ''] = /^([^:]+):(.*)$/.exec(who) ?? []
    if (!Object.hasOwn(settings.current.networks, network))
      throw new ChanopError('not-found', `no network ${network.slice(0, 40)}; !networks lists them`)
    const sender: Sender = { id: user as UserId, name: user, kind: 'person', verified: true }
    const { person, role, keys } = await ledger.read(db => ({
      ...identify(db, network as NetworkId, sender, '', atMs),
      keys: keysBehind(db, { network, user }),
    }))
    if (person && person.id === caller.person?.id) throw new ChanopError('conflict', 'that is you')
    if (role === 'owner' || !includes(caller.globalRole, role))
      throw new ChanopError('denied', `${who} is ${role} and is not ignored: !role revoke comes first`)
    const by = caller.person?.name ?? caller.account
    const untilMs = forMs === undefined ? null : atMs + forMs
    const added = Object.fromEntries([who, ...keys].map(each => [each, untilMs]))
    settings.check('ignore', added)
    const besides = keys.length === 0 ? '' : ` (with ${keys.join(', ')})`
    return {
      lines: [`${who}${besides} is ignored${forMs === undefined ? '' : ` for ${duration(forMs, 2)}`}`],
      // As it is at that moment: others are ignored by others.
      effect: db => {
        const valid = Object.entries(settings.in(db).ignore).filter(([, until]) => until === null || until > atMs)
        storeSetting(db, 'ignore', { ...Object.fromEntries(valid), ...added }, by, atMs)
      },
      committed: () => takeOver(context),
    }
  },
})

const ignoreList = declare({
  name: 'ignore list',
  aliases: ['ignores'],
  summary: 'who is ignored, and for how long',
  role: 'operator',
  reply: 'private',
  args: z.object({}),
  examples: [['!ignore list', 'nobody is ignored']],
  async run({ services, atMs }) {
    const all = Object.entries(services.bridge.context.settings.current.ignore).filter(
      ([, until]) => until === null || until > atMs,
    )
    if (all.length === 0) return 'nobody is ignored'
    return {
      lines: all.map(
        ([who, until]) => `${escapeInline(who)}${until === null ? '' : ` · ${duration(until - atMs, 2)} more`}`,
      ),
    }
  },
})

const ignoreDel = declare({
  name: 'ignore del',
  aliases: ['unignore'],
  summary: 'hears somebody again',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({ who: someone }),
  examples: [['!ignore del irc:mallory', 'irc:mallory is not ignored; !ignore list shows who is']],
  async run(context, { who }) {
    const { settings } = context.services.bridge.context
    if (settings.current.ignore[who] === undefined)
      throw new ChanopError('not-found', `${who} is not ignored; !ignore list shows who is`)
    const [, network = '', user = ''] = /^([^:]+):(.*)$/.exec(who) ?? []
    const keys = await context.ledger.read(db => keysBehind(db, { network, user }))
    const by = context.caller.person?.name ?? context.caller.account
    return {
      lines: [`${who} is heard again`],
      effect: db => {
        const others = Object.entries(settings.in(db).ignore).filter(
          ([account]) => account !== who && !keys.includes(account),
        )
        const left = Object.fromEntries(others)
        dropSetting(db, 'ignore')
        if (Object.keys(left).length > 0) storeSetting(db, 'ignore', left, by, context.atMs)
        else if (settings.inFile('ignore')) storeSetting(db, 'ignore', removed, by, context.atMs)
      },
      committed: () => takeOver(context),
    }
  },
})

export const presenceCommands = [joinPlace, partPlace, ignore, ignoreList, ignoreDel]
