/** What a matterbridge.toml says, as networks and rooms of ours. No I/O. */
import type * as Toml from 'smol-toml'
import { ChanopError } from '../../../core/error.ts'
import { lazily } from '../../../core/process/lazily.ts'
import { patternFault } from '../../../core/text/pattern.ts'
import { type Account, accountOf } from './accounts.ts'

type Table = Readonly<Record<string, unknown>>

export interface ImportedRoom {
  readonly places: readonly string[]
  readonly joins: boolean
  readonly names: 'auto' | 'always'
  readonly direction: Readonly<Record<string, 'in' | 'out'>>
  readonly ignore: { readonly names: readonly string[]; readonly texts: readonly string[] }
  readonly replace: readonly { readonly find: string; readonly with: string }[]
}

export interface Plan {
  readonly networks: Readonly<Record<string, Table>>
  readonly rooms: Readonly<Record<string, ImportedRoom>>
  /** By the name under which networks refer to them. */
  readonly secrets: Readonly<Record<string, string>>
  /** What could not be taken over, one line each. Holds no secret. */
  readonly missed: readonly string[]
}

const tables = (value: unknown): Table[] => (Array.isArray(value) ? value.filter(isTable) : [])
const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
const words = (value: unknown): string[] => (typeof value === 'string' ? value.split(/\s+/).filter(Boolean) : [])
const word = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value).replace(/[\0-\x1f\x7f]/g, ' ') : ''
const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter(each => typeof each === 'string') : []

/** A name of ours: lower-case letters, digits and dashes, and another one when it is taken. */
export function nameFor(written: string, taken: ReadonlySet<string>): string {
  const plain = written
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 24)
  const base = plain === '' ? 'imported' : plain
  if (!taken.has(base)) return base
  for (let n = 2; ; n++) if (!taken.has(`${base}-${n}`)) return `${base}-${n}`
}

/** What is there already, that nothing imported may change. */
export interface Known {
  readonly networks: ReadonlySet<string>
  readonly rooms: ReadonlySet<string>
  /** By `network:channel`. */
  readonly places: ReadonlySet<string>
}

/** Throws `usage` when the text is no TOML or has no gateway. */
export function planImport(text: string, known: Known): Plan {
  const file = parsed(text)
  const missed: string[] = []
  const accounts = readAccounts(file, known, missed)
  const rooms: Record<string, ImportedRoom> = {}
  const taken = new Set(known.places)
  const names = new Set(known.rooms)
  for (const gateway of gateways(file, missed)) {
    const room = roomOf(gateway, accounts, taken, missed)
    if (!room) continue
    const name = nameFor(gateway.name, names)
    names.add(name)
    rooms[name] = room
  }
  const used = new Set(
    Object.values(rooms).flatMap(({ places }) => places.map(place => place.slice(0, place.indexOf(':')))),
  )
  const kept = [...accounts.values()].filter(({ network }) => used.has(network))
  for (const { written, network } of accounts.values())
    if (!used.has(network)) missed.push(`${written} is in no gateway that was taken over: no network was made of it`)
  return {
    networks: Object.fromEntries(kept.map(({ network, config }) => [network, config])),
    rooms,
    secrets: Object.assign({}, ...kept.map(({ secrets }) => secrets)) as Record<string, string>,
    missed: [...new Set(missed)],
  }
}

/** Its keys are read without case there. */
function lowered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowered)
  if (!isTable(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inside]) => [key.toLowerCase(), lowered(inside)]))
}

const toml = lazily<typeof Toml>('smol-toml')

function parsed(text: string): Table {
  const { parse, TomlError } = toml()
  try {
    return lowered(parse(text.replace(/^\ufeff/, ''))) as Table
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // Its message quotes the file, and the file holds tokens.
    throw new ChanopError('usage', `line ${error.line} of the file is no TOML: mend it and import it again`)
  }
}

/** As many as a room takes. */
const mostPatterns = 200
const mostRules = 100

/** Settings of an account that change what people see there, by what becomes of them here. */
const unkept: Readonly<Record<string, string>> = {
  replacenicks: 'names are shown as they are',
  extractnicks: 'names of a bot that repeats others are not taken out of its words',
  stripnick: 'names are shown as they are',
  stripmarkdown: 'formatting is kept',
  runcommands: 'no lines of its own are sent to the server',
  charset: 'text is UTF-8 here',
  bind: 'connections leave from any address of this machine',
  webhookurl: 'webhooks are made by themselves, or not needed',
  webhookbindaddress: 'programs come in by HTTP here: docs/webhooks.md',
  tengomodifymessage: 'scripts are not run here',
  outmessage: 'scripts are not run here',
  mediaserverupload: 'files are given out by media.links: docs/bridge.md',
  mediadownloadpath: 'files are given out by media.links: docs/bridge.md',
  mediadownloadblacklist: 'set media.refuse for endings that are not passed on',
  editdisable: 'edits are passed on',
  noshowjoinpart: 'rooms have `joins`',
  joindelay: 'channels are entered at once',
  showtopicchange: 'topics are recorded and not passed on',
  synctopic: 'topics are recorded and not passed on',
}

const isSet = (value: unknown): boolean => value !== undefined && value !== '' && value !== false && value !== 0

/** What of a section has no counterpart here, a line each. */
const unkeptOf = (written: string, own: Table): string[] =>
  Object.entries(unkept).flatMap(([key, why]) => (isSet(own[key]) ? [`${written}: ${key}: ${why}`] : []))

const sections = new Set(['general', 'gateway', 'samechannelgateway', 'tengo', 'api'])

function readAccounts(file: Table, known: Known, missed: string[]): ReadonlyMap<string, Account> {
  const accounts = new Map<string, Account>()
  const names = new Set(known.networks)
  const general = isTable(file['general']) ? file['general'] : {}
  for (const [protocol, section] of Object.entries(file)) {
    if (sections.has(protocol) || !isTable(section)) continue
    for (const [label, own] of Object.entries(section)) {
      if (!isTable(own)) continue
      const written = `${protocol}.${label}`
      const network = nameFor(label, names)
      const account = accountOf({ protocol, written, network, own: { ...general, ...own } }, missed)
      if (!account) continue
      names.add(network)
      accounts.set(written, account)
      missed.push(...unkeptOf(written, own))
    }
  }
  missed.push(...unkeptOf('general', general))
  if (file['api'] !== undefined) missed.push('api: programs come in by HTTP or as agents here: docs/agents.md')
  if (file['tengo'] !== undefined) missed.push('tengo: scripts are not run here')
  return accounts
}

interface End {
  readonly account: string
  readonly channel: string
  readonly way: 'in' | 'out' | 'inout'
  /** What is not taken over of it. */
  readonly lost?: readonly string[]
}

interface Gateway {
  readonly name: string
  readonly ends: readonly End[]
}

/** What of a channel has no counterpart here. */
function lostOf(end: Table): string[] {
  const options = isTable(end['options']) ? end['options'] : {}
  return [
    ...(word(options['key']) === '' ? [] : ['its key: channels with a key are not entered here']),
    ...(word(options['webhookurl']) === '' ? [] : ['its webhook: one is made by itself']),
    ...(/^-\d+\/\d+$/.test(word(end['channel']))
      ? ['its topic: all topics of the group are in the room, as threads']
      : []),
  ]
}

function gateways(file: Table, missed: string[]): Gateway[] {
  const all = [...tables(file['gateway']).map(gatewayOf), ...tables(file['samechannelgateway']).flatMap(sameChannels)]
  if (all.length === 0) throw new ChanopError('usage', 'there is no [[gateway]] in it: is this a matterbridge.toml?')
  return all
    .filter(({ gateway, enabled }) => {
      if (!enabled) missed.push(`gateway ${gateway.name} is not enabled there: it was left out`)
      return enabled
    })
    .map(({ gateway }) => gateway)
}

interface Found {
  readonly gateway: Gateway
  readonly enabled: boolean
}

const nameOf = (table: Table): string => (typeof table['name'] === 'string' ? table['name'] : 'room')
const isEnabled = (table: Table): boolean => table['enable'] === true

function gatewayOf(table: Table): Found {
  const ends = (['in', 'out', 'inout'] as const).flatMap(way =>
    tables(table[way]).map(end => ({
      account: word(end['account']),
      channel: word(end['channel']),
      way,
      lost: lostOf(end),
    })),
  )
  return { gateway: { name: nameOf(table), ends }, enabled: isEnabled(table) }
}

const sameChannels = (table: Table): Found[] =>
  strings(table['channels']).map(channel => ({
    gateway: {
      name: `${nameOf(table)}-${channel}`,
      ends: strings(table['accounts']).map(account => ({ account, channel, way: 'inout' as const })),
    },
    enabled: isEnabled(table),
  }))

function roomOf(
  { name, ends }: Gateway,
  accounts: ReadonlyMap<string, Account>,
  taken: Set<string>,
  missed: string[],
): ImportedRoom | null {
  const ways = new Map<string, 'in' | 'out' | 'both'>()
  const used = new Set<Account>()
  for (const { account, channel, way, lost = [] } of ends) {
    const found = accounts.get(account.toLowerCase())
    if (!found) {
      missed.push(
        `gateway ${name}: ${account || 'an account without a name'} was not taken over, nor its channel ${channel}`,
      )
      continue
    }
    for (const what of lost) missed.push(`gateway ${name}: ${account} ${channel}: ${what}`)
    const place = found.placeOf(channel)
    if (place === null) missed.push(`gateway ${name}: ${found.channelFault(channel)}`)
    else if (taken.has(place))
      missed.push(`gateway ${name}: ${place} is in another room already; a place is in one room`)
    else {
      used.add(found)
      const before = ways.get(place)
      ways.set(place, way === 'inout' || (before !== undefined && before !== way) ? 'both' : way)
    }
  }
  for (const place of ways.keys()) taken.add(place)
  if (ways.size === 0) missed.push(`gateway ${name}: none of its channels could be taken over: no room was made of it`)
  return ways.size === 0 ? null : imported(ways, [...used], missed)
}

function imported(
  ways: ReadonlyMap<string, 'in' | 'out' | 'both'>,
  used: readonly Account[],
  missed: string[],
): ImportedRoom {
  const owns = used.map(({ own }) => own)
  const usable = (list: readonly string[], where: string, most = mostPatterns): string[] => {
    const fit = [...new Set(list)].filter(written => {
      const fault = patternFault(written)
      if (fault !== null) missed.push(`${where}: a pattern was left out: ${fault}`)
      return fault === null
    })
    if (fit.length > most) missed.push(`${where}: the first ${most} of ${fit.length} were taken over`)
    return fit.slice(0, most)
  }
  const rules = new Map(
    owns
      .flatMap(own => (Array.isArray(own['replacemessages']) ? own['replacemessages'] : []).map(strings))
      .flatMap(([find, by]) => (find === undefined || by === undefined ? [] : [[find, by] as const])),
  )
  return {
    places: [...ways.keys()],
    joins: owns.some(own => own['showjoinpart'] === true),
    names: owns.some(own => /\{(?:PROTOCOL|BRIDGE|LABEL|GATEWAY|CHANNEL)\}/.test(word(own['remotenickformat'])))
      ? 'always'
      : 'auto',
    direction: Object.fromEntries([...ways].filter((each): each is [string, 'in' | 'out'] => each[1] !== 'both')),
    ignore: {
      names: usable(
        owns.flatMap(own => words(own['ignorenicks']).map(nick => `^(?:${nick})$`)),
        'IgnoreNicks',
      ),
      texts: usable(
        owns.flatMap(own => words(own['ignoremessages'])),
        'IgnoreMessages',
      ),
    },
    replace: usable([...rules.keys()], 'ReplaceMessages', mostRules).map(find => ({
      find,
      with: rules.get(find) ?? '',
    })),
  }
}
