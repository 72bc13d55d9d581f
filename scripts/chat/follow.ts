/** What each line of the server changes in the windows. */
import { fromUser, type Line, lastParam, serverTimeMs } from '../../adapters/irc/text/line.ts'
import { foldFor } from '../../adapters/irc/text/names.ts'
import { remark } from './entry.ts'
import { type Placed, placeSpeech } from './speech.ts'
import type { Window, Windows } from './windows.ts'

type Step = (line: Line, windows: Windows) => void

const because = (reason: string | undefined): string => (reason ? ` (${reason})` : '')
const isSelf = (nick: string, windows: Windows): boolean => windows.fold(nick) === windows.fold(windows.nick)
const note = (windows: Windows, window: Window | undefined, line: Line, text: string): void => {
  if (window) windows.add(window, remark(text, 'info', serverTimeMs(line) ?? Date.now()))
}

function join(line: Line, windows: Windows): void {
  const window = windows.open(line.params[0] ?? '')
  if (isSelf(line.nick, windows)) window.members.clear()
  else note(windows, window, line, `${line.nick} joins`)
  window.members.set(windows.fold(line.nick), line.nick)
}

function leave(line: Line, windows: Windows, nick: string, how: string): void {
  const window = windows.find(line.params[0] ?? '')
  window?.members.delete(windows.fold(nick))
  note(windows, window, line, how)
  if (isSelf(nick, windows)) window?.members.clear()
}

function eachShared(windows: Windows, nick: string, touch: (window: Window, folded: string) => void): void {
  const folded = windows.fold(nick)
  for (const window of windows.all) if (window.members.has(folded)) touch(window, folded)
}

function quit(line: Line, windows: Windows): void {
  eachShared(windows, line.nick, (window, folded) => {
    window.members.delete(folded)
    note(windows, window, line, `${line.nick} leaves IRC${because(line.params[0])}`)
  })
}

function rename(line: Line, windows: Windows): void {
  const next = line.params[0] ?? ''
  if (isSelf(line.nick, windows)) windows.nick = next
  eachShared(windows, line.nick, (window, folded) => {
    window.members.delete(folded)
    window.members.set(windows.fold(next), next)
    note(windows, window, line, `${line.nick} is now ${next}`)
  })
}

function away(line: Line, windows: Windows): void {
  const reason = line.params[0]
  eachShared(windows, line.nick, window => {
    note(windows, window, line, reason ? `${line.nick} is away${because(reason)}` : `${line.nick} is back`)
  })
}

function topic(line: Line, windows: Windows): void {
  const window = windows.open(line.params[0] ?? '')
  window.topic = line.params[1] ?? ''
  note(windows, window, line, `${line.nick} sets the topic: ${window.topic}`)
}

function redact(line: Line, windows: Windows): void {
  const [target = '', id = '', reason] = line.params
  const window = windows.find(isSelf(target, windows) ? line.nick : target)
  const at = window?.entries.findIndex(entry => entry.id === id) ?? -1
  const entry = window?.entries[at]
  if (window && entry) window.entries[at] = { ...entry, text: `(deleted${reason ? `: ${reason}` : ''})` }
}

function names(line: Line, windows: Windows): void {
  const window = windows.open(line.params[2] ?? '')
  for (const name of lastParam(line).split(' ')) {
    const nick = name.replace(/^[~&@%+!]+/, '').split('!')[0] ?? ''
    if (nick !== '') window.members.set(windows.fold(nick), nick)
  }
}

function support(line: Line, windows: Windows): void {
  const mapping = line.params.find(token => token.startsWith('CASEMAPPING='))
  if (mapping) windows.fold = foldFor(mapping.slice(mapping.indexOf('=') + 1))
}

const steps: Readonly<Record<string, Step>> = {
  '001': (line, windows) => {
    windows.nick = line.params[0] ?? ''
  },
  '005': support,
  '332': (line, windows) => {
    windows.open(line.params[1] ?? '').topic = lastParam(line)
  },
  '353': names,
  JOIN: join,
  PART: (line, windows) => leave(line, windows, line.nick, `${line.nick} leaves${because(line.params[1])}`),
  KICK: (line, windows) =>
    leave(line, windows, line.params[1] ?? '', `${line.nick} removes ${line.params[1]}${because(line.params[2])}`),
  QUIT: quit,
  NICK: rename,
  AWAY: away,
  TOPIC: topic,
  REDACT: redact,
}

const failure = /^[45]\d\d$/

/** A refusal, as one remark: numerics from 400 on, and IRCv3 standard replies. */
export function refusalOf({ command, params }: Line): { about: string; text: string } | null {
  if (command === 'FAIL' || command === 'WARN') return { about: params[2] ?? '', text: params.at(-1) ?? '' }
  if (!failure.test(command) || command === '422') return null
  const about = params.length > 2 ? (params[1] ?? '') : ''
  return { about, text: `${about === '' ? '' : `${about}: `}${params.at(-1) ?? ''}` }
}

/** Applies one line; what was said and is new comes back. */
export function follow(line: Line, past: boolean, windows: Windows): Placed | null {
  if (line.command === 'PRIVMSG' || line.command === 'NOTICE') {
    const placed = placeSpeech(line, past, windows)
    return placed && windows.add(placed.window === '' ? windows.server : windows.open(placed.window), placed.entry)
      ? placed
      : null
  }
  // History tells of joins and topics too (event-playback): they were, and change nothing now.
  if (past) return null
  const step = Object.hasOwn(steps, line.command) ? steps[line.command] : undefined
  if (step) {
    if (fromUser(line) || /^\d/.test(line.command)) step(line, windows)
    return null
  }
  const refusal = refusalOf(line)
  if (refusal) windows.add(windows.find(refusal.about) ?? windows.active, remark(refusal.text, 'error'))
  return null
}
