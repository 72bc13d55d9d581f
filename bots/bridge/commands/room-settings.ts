import { z } from 'zod'
import type { CommandContext } from '../../../core/command/command.ts'
import { ChanopError } from '../../../core/error.ts'
import { type Place, parsePlace } from '../../../core/event.ts'
import { membersOf } from '../../../core/ledger/people/members.ts'
import { networkStatuses, waiting } from '../../../core/ledger/settings/networks.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { count, duration, escapeInline } from '../../../core/text/text.ts'
import { type BridgeServices, declare } from '../services.ts'
import { changing, placeMeant, written } from './places.ts'
import { name, type RoomConfig, roomRuled } from './rooms.ts'

type Context = CommandContext<BridgeServices>

const usage = (line: string): ChanopError => new ChanopError('usage', line)

/** A change of one setting of a room. Throws `usage` with the form. */
type Change = (context: Context, room: RoomConfig, value: string) => Partial<RoomConfig>

const oneOf = <T extends string>(words: readonly T[], value: string): T => {
  const found = words.find(word => word === value.toLowerCase())
  if (found) return found
  throw usage(`write one of: ${words.join(', ')}`)
}
const onOff = (value: string): boolean => oneOf(['on', 'off'], value) === 'on'

/** `+PATTERN` adds one, `-2` or `-PATTERN` takes one away, `none` takes all. */
function listed<T>(list: readonly T[], value: string, read: (text: string) => T, show: (one: T) => string): T[] {
  if (value === 'none') return []
  const [sign, rest] = [value[0], value.slice(1).trim()]
  if (sign === '+' && rest !== '') return [...list, read(rest)]
  if (sign !== '-' || rest === '') throw usage('write +PATTERN to add one, -NUMBER to take one away, or none')
  const at = /^\d+$/.test(rest) ? Number(rest) - 1 : list.findIndex(one => show(one) === rest)
  if (list[at] === undefined)
    throw new ChanopError('not-found', `there is no ${rest.slice(0, 40)} in it: !room show lists them`)
  return list.toSpliced(at, 1)
}

const same = (text: string): string => text

/** `/find/with/`, with whatever sign begins it between the parts. */
function replacement(text: string): { find: string; with: string } {
  const sign = text[0] ?? ''
  const parts = text.slice(1).split(sign)
  const [find = '', by, end] = parts
  if (/[\p{L}\p{N}\s\\]/u.test(sign) || find === '' || by === undefined || (end ?? '') !== '' || parts.length > 3)
    throw usage('write +/PATTERN/TEXT/ with any sign between them that is in neither')
  return { find, with: by }
}
const shownReplacement = ({ find, with: by }: { find: string; with: string }): string => `/${find}/${by}/`

function direct(context: Context, room: RoomConfig, value: string): Partial<RoomConfig> {
  const [place = '', way = '', ...more] = value.split(/\s+/)
  if (more.length > 0 || way === '') throw usage('write direction PLACE both, in or out')
  const here = written(placeMeant(context, place))
  if (!room.places.includes(here))
    throw new ChanopError('not-found', `${here} is no place of it: ${room.places.join(', ')}`)
  const { [here]: _before, ...others } = room.direction
  const chosen = oneOf(['both', 'in', 'out'], way)
  return { direction: chosen === 'both' ? others : { ...others, [here]: chosen } }
}

const changes: Readonly<Record<string, Change>> = {
  direction: direct,
  joins: (_, __, value) => ({ joins: onOff(value) }),
  files: (_, __, value) => ({ files: oneOf(['copy', 'link', 'off'], value) }),
  names: (_, __, value) => ({ names: oneOf(['auto', 'always', 'never'], value) }),
  everyone: (_, __, value) => ({ everyone: onOff(value) }),
  'ignore-names': (_, { ignore }, value) => ({ ignore: { ...ignore, names: listed(ignore.names, value, same, same) } }),
  'ignore-texts': (_, { ignore }, value) => ({ ignore: { ...ignore, texts: listed(ignore.texts, value, same, same) } }),
  replace: (_, { replace }, value) => ({ replace: listed(replace, value, replacement, shownReplacement) }),
}

/** How a room is set, one line each. */
function settingLines(room: RoomConfig): string[] {
  const on = (set: boolean): string => (set ? 'on' : 'off')
  const { ignore, replace, direction } = room
  const numbered = (list: readonly string[]): string =>
    list.length === 0 ? 'none' : list.map((one, at) => `${at + 1} ${escapeInline(one)}`).join(' · ')
  const ways = Object.entries(direction).map(([place, way]) => `${escapeInline(place)} ${way}`)
  return [
    `joins ${on(room.joins)} · files ${room.files} · names ${room.names} · everyone ${on(room.everyone)}`,
    ...(ways.length > 0 ? [`direction: ${ways.join(' · ')}`] : []),
    ...(ignore.names.length > 0 ? [`ignore-names: ${numbered(ignore.names)}`] : []),
    ...(ignore.texts.length > 0 ? [`ignore-texts: ${numbered(ignore.texts)}`] : []),
    ...(replace.length > 0 ? [`replace: ${numbered(replace.map(shownReplacement))}`] : []),
  ]
}

const set = declare({
  name: 'room set',
  summary: 'what is passed on in a room, and how; in force at once',
  role: 'operator',
  scope: 'room',
  reply: 'public',
  mutates: true,
  args: z.object({
    name,
    setting: z.enum(Object.keys(changes) as [string, ...string[]]).describe(Object.keys(changes).join(', ')),
    value: z
      .string()
      .min(1)
      .max(600)
      .meta({ rest: true })
      .describe(
        'on or off; direction: PLACE both, in or out; lists: +PATTERN, -NUMBER or none; replace: +/PATTERN/TEXT/',
      ),
  }),
  examples: [
    ['!room set general joins on', 'general: joins on · files copy · names auto · everyone off'],
    [
      '!room set general direction libera:#general in',
      /^general: joins off .*\ndirection: libera:#general in$/,
      'general: joins off · files copy · names auto · everyone off\ndirection: libera:#general in',
    ],
  ],
  async run(context, { name, setting, value }) {
    const room = await roomRuled(context, name)
    const next = { ...room, ...changes[setting]?.(context, room, value.trim()) }
    const [first = '', ...more] = settingLines(next)
    return { lines: [`${name}: ${first}`, ...more], ...changing(context, { [`rooms.${name}`]: next }) }
  },
})

const ways = { in: 'only gives', out: 'only hears', both: 'both ways' } as const

/** How one place of a room is. */
function placeLine(tx: Tx, room: RoomConfig, place: Place, atMs: number): string {
  const shown = escapeInline(written(place))
  const status = networkStatuses(tx).find(({ network }) => network === place.network)
  const trouble = status?.troubles?.find(({ channel }) => channel.toLowerCase() === place.channel.toLowerCase())
  const waits = waiting(tx, atMs).find(({ network }) => network === place.network)
  const people = membersOf(tx, place).length
  const said = [
    status?.state === 'up'
      ? trouble
        ? `does not work: ${trouble.reason}`
        : 'up'
      : (status?.reason ?? 'not connected'),
    ways[room.direction[written(place)] ?? 'both'],
    people > 0 ? (people === 1 ? '1 person' : `${count(people)} people`) : '',
    waits ? `${count(waits.queued)} waiting, the oldest for ${duration(atMs - waits.oldestMs)}` : '',
  ]
  return `${shown} · ${said.filter(Boolean).join(' · ')}`
}

const show = declare({
  name: 'room show',
  summary: 'one room: its places, how each is, and how it is set',
  role: 'operator',
  scope: 'room',
  reply: 'private',
  args: z.object({ name }),
  examples: [
    [
      '!room show general',
      /^general · open\nirc:#general · .*both ways.*\nlibera:#general · .*\njoins off/,
      'general · open\nirc:#general · up · both ways · 3 people\nlibera:#general · up · both ways\njoins off · files copy · names auto · everyone off',
    ],
  ],
  async run(context, { name }) {
    const { ledger, atMs } = context
    const room = await roomRuled(context, name)
    const places = room.places.map(parsePlace).filter(place => place !== null)
    const lines = await ledger.read(tx => places.map(place => placeLine(tx, room, place, atMs)))
    return { lines: [`${name} · ${room.open ? 'open' : 'closed'}`, ...lines, ...settingLines(room)] }
  },
})

export const roomSettingCommands = [set, show]
