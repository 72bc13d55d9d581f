/** Accounts of a matterbridge.toml as networks of ours. */
import { holdsLogin } from '../../../core/loopback.ts'

type Table = Readonly<Record<string, unknown>>

/** An account that can be taken over. */
export interface Account {
  /** `irc.libera`, as it is written there. */
  readonly written: string
  readonly network: string
  readonly config: Table
  readonly secrets: Readonly<Record<string, string>>
  readonly own: Table
  /** The place of a channel as it is written there; null when it can't be told. */
  placeOf(channel: string): string | null
  channelFault(channel: string): string
}

export interface Source {
  readonly protocol: string
  readonly written: string
  readonly network: string
  readonly own: Table
}

interface Made {
  readonly config: Table
  readonly secrets?: Readonly<Record<string, string>>
}

interface Kind {
  /** Null: it can't be taken over; why was said. */
  make(source: Source, note: (line: string) => void): Made | null
  readonly channel: RegExp
  /** What has to be written instead. */
  readonly wanted: string
}

const text = (own: Table, key: string): string => (typeof own[key] === 'string' ? (own[key] as string).trim() : '')

/** A secret under the network's own name, and the reference to it. */
const secret = (network: string, what: string, value: string) => ({
  reference: `secret:${network}.${what}`,
  secrets: { [`${network}.${what}`]: value },
})

function withToken({ network, own }: Source, kind: string, note: (line: string) => void): Made | null {
  const token = text(own, 'token').replace(/^Bot\s+/i, '')
  if (token === '') {
    note('has no Token: no network was made of it')
    return null
  }
  const { reference, secrets } = secret(network, 'token', token)
  return { config: { kind, token: reference }, secrets }
}

function irc({ network, own }: Source, note: (line: string) => void): Made | null {
  const server = /^(?:\w+:\/\/)?(\[[^\]]+\]|[^:/\s]+)(?::(\d{1,5}))?$/.exec(text(own, 'server'))
  const nick = text(own, 'nick')
  if (!server || nick === '') {
    note('has no Server or no Nick: no network was made of it')
    return null
  }
  const tls = own['usetls'] === true
  const password = text(own, 'nickservpassword')
  const login = password === '' ? null : secret(network, 'password', password)
  const entry = text(own, 'password') === '' ? null : secret(network, 'server', text(own, 'password'))
  if (login && !tls) note('logs in without TLS: its password crosses the network readable')
  if (own['skiptlsverify'] === true) note('took any certificate: set its fingerprint here if it is none that is signed')
  return {
    config: {
      kind: 'irc',
      host: (server[1] ?? '').replace(/^\[|\]$/g, ''),
      port: Number(server[2] ?? (tls ? 6697 : 6667)),
      tls,
      nick,
      personas: false,
      ...(login ? { sasl: { account: text(own, 'nickservnick') || nick, password: login.reference } } : {}),
      ...(entry ? { serverPassword: entry.reference } : {}),
    },
    secrets: { ...login?.secrets, ...entry?.secrets },
  }
}

function slack(source: Source, note: (line: string) => void): Made | null {
  const made = withToken(source, 'slack', note)
  if (!made) return null
  const app = text(source.own, 'apptoken')
  if (app === '') note(`needs an app-level token (xapp-…) here: set the secret ${source.network}.app`)
  const { reference, secrets } = secret(source.network, 'app', app)
  return {
    config: { ...made.config, appToken: reference },
    secrets: { ...made.secrets, ...(app === '' ? {} : secrets) },
  }
}

function matrix({ network, own }: Source, note: (line: string) => void): Made | null {
  const server = text(own, 'server').replace(/\/+$/, '')
  const homeserver = server === '' || /^\w+:\/\//.test(server) ? server : `https://${server}`
  const login = text(own, 'mxid') || text(own, 'login')
  const token = text(own, 'token')
  const password = text(own, 'password')
  if (homeserver === '' || (token === '' && (login === '' || password === ''))) {
    note('has no Server, or neither Token nor Login and Password: no network was made of it')
    return null
  }
  const at = URL.parse(homeserver)
  if (!at || holdsLogin(homeserver)) {
    note('has a Server that is no plain address (https://matrix.example.org): no network was made of it')
    return null
  }
  const host = at.hostname
  const user = login === '' || login.startsWith('@') ? login : `@${login}:${host}`
  if (login !== '' && !login.startsWith('@'))
    note(`is taken for ${user}: change networks.${network}.user if that is another`)
  const kept = token === '' ? secret(network, 'password', password) : secret(network, 'token', token)
  return {
    config: {
      kind: 'matrix',
      homeserver,
      ...(user === '' ? {} : { user }),
      ...(token === '' ? { password: kept.reference } : { token: kept.reference }),
    },
    secrets: kept.secrets,
  }
}

const kinds: Readonly<Record<string, Kind>> = {
  irc: { make: irc, channel: /^[#&+!]\S+$/, wanted: 'its name with #' },
  discord: {
    make: (source, note) => withToken(source, 'discord', note),
    channel: /^(?:ID:)?\d{15,20}$/,
    wanted: 'its id (Developer Mode on, right-click, Copy ID)',
  },
  slack: { make: slack, channel: /^(?:ID:)?[CG][A-Z0-9]{6,}$/, wanted: 'its id (channel details, at the end)' },
  telegram: {
    make: (source, note) => withToken(source, 'telegram', note),
    channel: /^-\d+(?:\/\d+)?$/,
    wanted: 'the id of a group, a number that begins with -',
  },
  matrix: { make: matrix, channel: /^[#!]\S+:\S+$/, wanted: 'its alias or id with the server' },
}

/** What becomes of one account; null when it can't be taken over. */
export function accountOf(source: Source, missed: string[]): Account | null {
  const { protocol, written, network, own } = source
  const kind = Object.hasOwn(kinds, protocol) ? kinds[protocol] : undefined
  if (!kind) {
    missed.push(`${written}: there is no network of the kind ${protocol} here`)
    return null
  }
  const made = kind.make(source, line => missed.push(`${written} ${line}`))
  if (!made) return null
  return {
    written,
    network,
    config: made.config,
    secrets: made.secrets ?? {},
    own,
    placeOf: channel => (kind.channel.test(channel) ? `${network}:${idOf(channel)}` : null),
    channelFault: channel => `${written} names its channel ${channel}: write ${kind.wanted}, then link it to its room`,
  }
}

/** `ID:1234` names a channel by its id; a topic of a Telegram group is a thread of it. */
const idOf = (channel: string): string => {
  const bare = channel.replace(/^ID:/, '')
  const id = bare.startsWith('-') ? bare.replace(/\/\d+$/, '') : bare
  return /^[#&+]/.test(id) ? id.toLowerCase() : id
}
