/** One line of the protocol, taken apart. Client tags keep their `+`: `account` and `+account` are different things. */
export interface Line {
  readonly tags: Readonly<Record<string, string>>
  /** `nick!user@host` or a server's name; empty when the line has none. */
  readonly prefix: string
  /** The nick of the prefix; a server's name stands here whole. */
  readonly nick: string
  readonly command: string
  readonly params: readonly string[]
}

const noTags: Readonly<Record<string, string>> = Object.freeze(Object.create(null) as Record<string, string>)
const escaped: Record<string, string> = { ':': ';', s: ' ', r: '\r', n: '\n', '\\': '\\' }

/** Value of a tag as IRCv3 message-tags escapes it; a lone backslash is dropped. */
export const unescapeTag = (value: string): string =>
  value.includes('\\') ? value.replace(/\\(.?)/gs, (_, next: string) => escaped[next] ?? next) : value

const unsafe: Record<string, string> = { ';': '\\:', ' ': '\\s', '\\': '\\\\', '\r': '\\r', '\n': '\\n', '\0': '' }

export const escapeTag = (value: string): string => value.replace(/[; \\\r\n\0]/g, char => unsafe[char] ?? '')

function parseTags(written: string): Record<string, string> {
  const tags = Object.create(null) as Record<string, string>
  for (const tag of written.split(';')) {
    const equals = tag.indexOf('=')
    if (tag === '' || equals === 0) continue
    if (equals === -1) tags[tag] = ''
    else tags[tag.slice(0, equals)] = unescapeTag(tag.slice(equals + 1))
  }
  return tags
}

const skipSpaces = (raw: string, at: number): number => {
  let index = at
  while (raw.charCodeAt(index) === 32) index++
  return index
}

function parseParams(raw: string, from: number): string[] {
  const params: string[] = []
  for (let at = skipSpaces(raw, from); at < raw.length; ) {
    if (raw.charCodeAt(at) === 58) {
      params.push(raw.slice(at + 1))
      break
    }
    const space = raw.indexOf(' ', at)
    const end = space === -1 ? raw.length : space
    params.push(raw.slice(at, end))
    at = skipSpaces(raw, end)
  }
  return params
}

/** Reads one line (RFC 1459 with IRCv3 tags); null when there is no command in it. Never throws. */
export function parseLine(written: string): Line | null {
  const raw = written.endsWith('\r') ? written.slice(0, -1) : written
  let at = 0
  let tags = noTags
  if (raw.charCodeAt(0) === 64) {
    const end = raw.indexOf(' ')
    if (end === -1) return null
    tags = parseTags(raw.slice(1, end))
    at = skipSpaces(raw, end)
  }
  let prefix = ''
  if (raw.charCodeAt(at) === 58) {
    const end = raw.indexOf(' ', at)
    if (end === -1) return null
    prefix = raw.slice(at + 1, end)
    at = skipSpaces(raw, end)
  }
  const space = raw.indexOf(' ', at)
  const end = space === -1 ? raw.length : space
  const command = raw.slice(at, end).toUpperCase()
  if (command === '') return null
  const bang = prefix.indexOf('!')
  return { tags, prefix, nick: bang === -1 ? prefix : prefix.slice(0, bang), command, params: parseParams(raw, end) }
}

/** Where the command of a raw line begins, without parsing the rest. */
export function commandAt(raw: string): number {
  let at = 0
  if (raw.charCodeAt(0) === 64) at = skipSpaces(raw, raw.indexOf(' ') + 1 || raw.length)
  if (raw.charCodeAt(at) === 58) at = skipSpaces(raw, raw.indexOf(' ', at) + 1 || raw.length)
  return at
}

/** The text of a line that has one: its last parameter. */
export const lastParam = (line: Line): string => line.params.at(-1) ?? ''

/** True for a person's or service's line, false for one of the server itself. */
export const fromUser = (line: Line): boolean => line.prefix.includes('!')

/** `time` tag (server-time) as Unix ms; null when there is none or it is no date. */
export function serverTimeMs(line: Line): number | null {
  const written = line.tags['time']
  if (written === undefined) return null
  const ms = Date.parse(written)
  return Number.isNaN(ms) ? null : ms
}
