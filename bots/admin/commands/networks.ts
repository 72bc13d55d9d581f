import { z } from 'zod'
import { knownTo, readerOf } from '../../../core/access/visibility.ts'
import { ChanopError } from '../../../core/error.ts'
import type { NetworkId } from '../../../core/event.ts'
import { networkDrafts } from '../../../core/ledger/settings/network-drafts.ts'
import { networkStatuses, waiting } from '../../../core/ledger/settings/networks.ts'
import type { Room } from '../../../core/rooms.ts'
import { nearest } from '../../../core/text/nearest.ts'
import { count, duration, escapeInline } from '../../../core/text/text.ts'
import { bridgeSilent, networkLine, tellable, withoutLogins } from '../networks.ts'
import { type Context, declare } from '../services.ts'

/** The rooms that those who read the answer may know of. */
async function roomsKnown(context: Context, reply: 'public' | 'private'): Promise<Room[]> {
  const { rooms } = context.services.context
  return context.ledger.read(db => rooms.all().filter(knownTo(db, readerOf(context, reply), rooms, context.atMs)))
}

const lineOf = (name: string, entry: Parameters<typeof networkLine>[0] | undefined, nowMs: number, old: boolean) =>
  entry ? networkLine(entry, nowMs, old) : `${name}: the bridge has said nothing of it yet`

const networks = declare({
  name: 'networks',
  aliases: ['network', 'network list'],
  summary: 'the networks and how they are',
  role: 'guest',
  reply: 'public',
  examples: [['!networks', /^irc up \S+/, 'irc up 7s · ergo-2.20.0']],
  async run(context) {
    const { ledger, services, atMs } = context
    const told = await tellable(context, await ledger.read(networkStatuses), 'public')
    const data = new Map(told.map(entry => [entry.network, withoutLogins(entry)]))
    const known = new Map(told.map(entry => [entry.network, entry]))
    const old = bridgeSilent(services, atMs)
    const names = Object.keys(services.context.settings.current.networks)
    return {
      data: names.map(name => ({ ...data.get(name), network: name })),
      lines: names.map(name => lineOf(name, known.get(name), atMs, old)),
    }
  },
})

/** One that is being set up is said to be so; of another word the nearest name is. */
async function refuseUnknown(
  { ledger, settings: { prefix } }: Context,
  network: string,
  configured: readonly string[],
): Promise<never> {
  const draft = (await ledger.read(networkDrafts)).find(({ name }) => name === network)
  if (draft) {
    const line = `${network} (${draft.config.kind}) is being set up: ${prefix}network add ${network} says what it needs`
    throw new ChanopError('not-found', line)
  }
  const near = nearest(network, configured)
  const hint = near ? `did you mean ${near}?` : `${prefix}networks lists them`
  throw new ChanopError('not-found', `no network ${network.slice(0, 40)}; ${hint}`)
}

const show = declare({
  name: 'network show',
  summary: 'one network: how it is and why, its server, places, what waits for it, and each ability it lacks',
  role: 'guest',
  reply: 'private',
  args: z.object({ network: z.string() }),
  examples: [
    ['!network show irc', /^irc up .*\nplaces: /, 'irc up 7s · ergo-2.20.0\nplaces: #general, #ops'],
    ['!network show libra', 'no network libra; did you mean libera?'],
  ],
  async run(context, { network }) {
    const { ledger, services, atMs, settings } = context
    const { networks: configured } = services.context.settings.current
    const config = Object.hasOwn(configured, network) ? configured[network] : undefined
    if (!config) return refuseUnknown(context, network, Object.keys(configured))
    const stored = (await ledger.read(networkStatuses)).filter(known => known.network === network)
    const [entry] = await tellable(context, stored, 'private')
    const known = await roomsKnown(context, 'private')
    const here = known.flatMap(({ places }) => places).filter(place => place.network === network)
    const waits = (await ledger.read(tx => waiting(tx, atMs))).find(each => each.network === (network as NetworkId))
    const off = config.on ? [] : [`${settings.prefix}network on ${network} turns it on`]
    return {
      page: { from: 0, size: 12 },
      lines: [
        lineOf(network, entry, atMs, bridgeSilent(services, atMs)),
        `places: ${here.map(place => place.channel).join(', ') || 'none in a room'}`,
        ...off,
        ...(waits ? [`${count(waits.queued)} wait for it, the oldest for ${duration(atMs - waits.oldestMs)}`] : []),
        ...(entry?.lacks ?? []).map(escapeInline),
      ],
    }
  },
})

const rooms = declare({
  name: 'rooms',
  aliases: ['room', 'room list'],
  summary: 'the rooms you may enter, and the places that are bridged in each',
  role: 'guest',
  reply: 'public',
  examples: [
    [
      '!rooms',
      /^general: irc:#general ⇄ libera:#general · open/,
      'general: irc:#general ⇄ libera:#general · open\nops: irc:#ops',
    ],
  ],
  async run(context) {
    const rooms = await roomsKnown(context, 'private')
    // What not everybody here may know of is said to the asker alone.
    const shown = rooms.length === (await roomsKnown(context, 'public')).length
    const lines = rooms.map(roomLine)
    return {
      lines: lines.length > 0 ? lines : ['no room is open to you'],
      data: rooms,
      reply: shown ? 'public' : 'private',
    }
  },
})

function roomLine({ name, places, open, joins }: Room): string {
  const written = places.map(place => `${place.network}:${place.channel}`).join(' ⇄ ')
  return `${name}: ${written}${open ? ' · open' : ''}${joins ? ' · joins shown' : ''}`
}

export const networkCommands = [networks, show, rooms]
