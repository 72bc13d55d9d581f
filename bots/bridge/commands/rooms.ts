import { z } from 'zod'
import type { Config } from '../../../config/schema.ts'
import { includes } from '../../../core/access/role.ts'
import type { CommandContext } from '../../../core/command/command.ts'
import { nameOf } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { roleIn } from '../../../core/ledger/people/roles.ts'
import { removed } from '../../../core/settings/settings-merge.ts'
import { nearest } from '../../../core/text/nearest.ts'
import { type BridgeServices, declare } from '../services.ts'
import { changing, channelMeant, placeMeant, written } from './places.ts'

export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,60}$/, 'write a room name of lower-case letters, digits, _ and -')
  .meta({ type: 'room' })

export type RoomConfig = Config['rooms'][string]

export function roomOf(rooms: Config['rooms'], wanted: string): RoomConfig {
  const room = Object.hasOwn(rooms, wanted) ? rooms[wanted] : undefined
  if (room) return room
  const near = nearest(wanted, Object.keys(rooms))
  throw new ChanopError('not-found', `no room ${wanted}${near ? `; did you mean ${near}?` : '; !rooms lists them'}`)
}

/**
 * The room of that name, whose operators may see and set it; of others they are not told that these are there. For commands
 * with `scope: 'room'`.
 */
export async function roomRuled(
  { caller, ledger, services, atMs }: CommandContext<BridgeServices>,
  wanted: string,
): Promise<RoomConfig> {
  const { rooms } = services.bridge.context.settings.current
  const { person, globalRole } = caller
  const rules = person !== null && (await ledger.read(tx => includes(roleIn(tx, person, wanted, atMs), 'operator')))
  if (caller.agent || includes(globalRole, 'operator') || rules) return roomOf(rooms, wanted)
  throw new ChanopError('denied', `you are an operator of no room ${wanted}`)
}

/** A place is in one room only, or two conversations would run into each other. */
function refuseTaken(rooms: Config['rooms'], place: string): void {
  const holder = Object.entries(rooms).find(([, room]) => room.places.some(other => other.toLowerCase() === place))
  if (holder)
    throw new ChanopError(
      'conflict',
      `${place} is in the room ${holder[0]} already: !room unlink ${holder[0]} ${place}`,
    )
}

const add = declare({
  name: 'room add',
  summary: 'makes a room of one place; room link adds more',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({
    name,
    place: nameOf('place').describe('network:channel, or #channel of this network'),
    open: z.boolean().default(false).meta({ flag: true }).describe('everybody may read its history'),
    joins: z.boolean().default(false).meta({ flag: true }).describe('joins and parts are relayed'),
  }),
  examples: [['!room add dev irc:#dev', 'dev: irc:#dev']],
  async run(context, { name, place, open, joins }) {
    const { rooms } = context.services.bridge.context.settings.current
    if (Object.hasOwn(rooms, name))
      throw new ChanopError('conflict', `there is a room ${name} already: !room link ${name} PLACE`)
    const here = written(channelMeant(context, place))
    refuseTaken(rooms, here)
    return { lines: [`${name}: ${here}`], ...changing(context, { [`rooms.${name}`]: { places: [here], open, joins } }) }
  },
})

const link = declare({
  name: 'room link',
  summary: 'bridges one more place into a room',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({ name, place: nameOf('place').describe('network:channel, or #channel of this network') }),
  examples: [['!room link ops libera:#ops', 'ops: irc:#ops ⇄ libera:#ops']],
  async run(context, { name, place }) {
    const { rooms } = context.services.bridge.context.settings.current
    const room = roomOf(rooms, name)
    const here = written(channelMeant(context, place))
    refuseTaken(rooms, here)
    const places = [...room.places, here]
    return {
      lines: [`${name}: ${places.join(' ⇄ ')}`],
      ...changing(context, { [`rooms.${name}`]: { ...room, places } }),
    }
  },
})

const unlink = declare({
  name: 'room unlink',
  summary: 'takes a place out of a room; nothing is relayed there any more',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({ name, place: nameOf('place').describe('network:channel, or #channel of this network') }),
  examples: [['!room unlink general libera:#general', 'general: irc:#general']],
  async run(context, { name, place }) {
    const { rooms } = context.services.bridge.context.settings.current
    const room = roomOf(rooms, name)
    const here = written(placeMeant(context, place))
    const places = room.places.filter(other => other.toLowerCase() !== here)
    if (places.length === room.places.length)
      throw new ChanopError('not-found', `${here} is not in ${name}: ${room.places.join(', ')}`)
    if (places.length === 0)
      throw new ChanopError('conflict', `${here} is its only place: !room del ${name} deletes the room`)
    const { [here]: _gone, ...direction } = room.direction
    return {
      lines: [`${name}: ${places.join(' ⇄ ')}`],
      ...changing(context, { [`rooms.${name}`]: { ...room, places, direction } }),
    }
  },
})

const del = declare({
  name: 'room del',
  summary: 'deletes a room: its places are no longer bridged; what was said stays',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({ name }),
  confirm: ({ name }, { services }) => {
    const { places } = roomOf(services.bridge.context.settings.current.rooms, name)
    return `deletes the room ${name} (${places.join(', ')})`
  },
  examples: [
    [
      '!room del general',
      /^deletes the room general \(irc:#general, libera:#general\) · !yes \w{3}/,
      'deletes the room general (irc:#general, libera:#general) · !yes k7m within 60 s, or !no',
    ],
  ],
  run: async (context, { name }) => {
    roomOf(context.services.bridge.context.settings.current.rooms, name)
    return { lines: [`${name} is deleted`], ...changing(context, { [`rooms.${name}`]: removed }) }
  },
})

export const roomCommands = [add, link, unlink, del]
