import { z } from 'zod'
import { mayBeIn } from '../../../core/admission.ts'
import type { CommandContext } from '../../../core/command/command.ts'
import { ChanopError } from '../../../core/error.ts'
import { formatPlace, type Place } from '../../../core/event.ts'
import { networkStatuses } from '../../../core/ledger/networks.ts'
import { nearest } from '../../../core/nearest.ts'
import type { Room } from '../../../core/rooms.ts'
import { type AdminServices, declare } from '../services.ts'
import { bridgeSilent, networkLine } from '../networks.ts'

/** Whether the asker may know of a place: it is open to them, whoever else reads the answer. */
async function knows({ ledger, caller, event, services, atMs }: CommandContext<AdminServices>) {
  const { rooms } = services.context
  const who = { network: caller.network, sender: event.event.sender }
  return ledger.read(db => {
    const places = rooms.all().flatMap(room => room.places)
    const known = new Set(places.filter(place => mayBeIn(db, rooms, place, who, atMs)).map(formatPlace))
    return (place: Place): boolean => known.has(formatPlace(place))
  })
}

const networks = declare({
  name: 'networks',
  aliases: ['network', 'network list'],
  summary: 'the networks and how they are',
  role: 'guest',
  reply: 'public',
  args: z.object({}),
  examples: [['!networks', /^irc up \S+/, 'irc up 7s · ergo-2.20.0']],
  async run({ ledger, services, atMs }) {
    const known = new Map((await ledger.read(networkStatuses)).map(entry => [entry.network, entry]))
    const old = bridgeSilent(services, atMs)
    const names = Object.keys(services.context.settings.current.networks)
    return {
      data: names.map(name => ({ ...known.get(name), network: name, locks: undefined, gone: undefined })),
      lines: names.map(name => {
        const entry = known.get(name)
        return entry ? networkLine(entry, atMs, old) : `${name}: the bridge has said nothing of it yet`
      }),
    }
  },
})

const show = declare({
  name: 'network show',
  summary: 'one network: server, places, and each ability it lacks',
  role: 'guest',
  reply: 'private',
  args: z.object({ network: z.string() }),
  examples: [['!network show irc', /^irc up .*\nplaces: /, 'irc up 7s · ergo-2.20.0\nplaces: #general, #ops']],
  async run(context, { network }) {
    const { ledger, services, atMs } = context
    const { networks: configured } = services.context.settings.current
    if (!Object.hasOwn(configured, network)) {
      const near = nearest(network, Object.keys(configured))
      throw new ChanopError(
        'not-found',
        `no network ${network.slice(0, 40)}${near ? `; did you mean ${near}?` : '; networks lists them'}`,
      )
    }
    const entry = (await ledger.read(networkStatuses)).find(known => known.network === network)
    const here = services.context.rooms.onNetwork(network).filter(await knows(context))
    const places = here.map(place => place.channel)
    return {
      lines: [
        entry
          ? networkLine(entry, atMs, bridgeSilent(services, atMs))
          : `${network}: the bridge has said nothing of it yet`,
        `places: ${places.join(', ') || 'none in a room'}`,
        ...(entry?.lacks ?? []),
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
  args: z.object({}),
  examples: [
    [
      '!rooms',
      /^general: irc:#general ⇄ libera:#general · open/,
      'general: irc:#general ⇄ libera:#general · open\nops: irc:#ops',
    ],
  ],
  async run(context) {
    const known = await knows(context)
    const all = context.services.context.rooms.all()
    const rooms = all.filter(({ places }) => places.some(known))
    // What not everybody here may know of is said to the asker alone.
    const shown = rooms.every(({ name, open }) => open || name === context.caller.room)
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
