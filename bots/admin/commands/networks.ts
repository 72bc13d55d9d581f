import { z } from 'zod'
import { ChanopError } from '../../../core/error.ts'
import { standings } from '../../../core/ledger/networks.ts'
import { nearest } from '../../../core/nearest.ts'
import { declare } from '../services.ts'
import { bridgeSilent, networkLine } from '../standing.ts'

const networks = declare({
  name: 'networks',
  aliases: ['network', 'network list'],
  summary: 'the networks and how they are',
  role: 'guest',
  reply: 'public',
  args: z.object({}),
  examples: [['!networks', /^irc up \S+/]],
  async run({ ledger, services, atMs }) {
    const known = new Map((await ledger.read(standings)).map(entry => [entry.network, entry]))
    const old = bridgeSilent(services, atMs)
    const names = Object.keys(services.context.settings.current.networks)
    return {
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
  examples: [['!network show irc', /^irc up .*\nplaces: /]],
  async run({ ledger, services, atMs }, { network }) {
    const { networks: configured } = services.context.settings.current
    if (!Object.hasOwn(configured, network)) {
      const near = nearest(network, Object.keys(configured))
      throw new ChanopError(
        'not-found',
        `no network ${network.slice(0, 40)}${near ? `; did you mean ${near}?` : '; networks lists them'}`,
      )
    }
    const entry = (await ledger.read(standings)).find(known => known.network === network)
    const places = services.context.rooms.onNetwork(network).map(place => place.channel)
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
  summary: 'the rooms and the places that are bridged in each',
  role: 'guest',
  reply: 'public',
  args: z.object({}),
  examples: [['!rooms', /^general: irc:#general ⇄ libera:#general · open/]],
  run: async ({ services }) => ({
    lines: services.context.rooms.all().map(({ name, places, open, joins }) => {
      const written = places.map(place => `${place.network}:${place.channel}`).join(' ⇄ ')
      return `${name}: ${written}${open ? ' · open' : ''}${joins ? ' · joins shown' : ''}`
    }),
  }),
})

export const networkCommands = [networks, show, rooms]
