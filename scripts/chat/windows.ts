/** The conversations that are open, and what stands in them. */
import { type Fold, foldFor } from '../../adapters/irc/text/names.ts'
import type { Entry } from './entry.ts'

export interface Window {
  /** Channel or nick as first seen; '' is the server's window. */
  readonly name: string
  readonly entries: Entry[]
  readonly ids: Set<string>
  /** Folded nick to nick. */
  readonly members: Map<string, string>
  topic: string
  unread: number
  /** Somebody means us: our nick was said, or it is a private conversation. */
  mention: boolean
  /** Rows hidden below the last one shown. */
  scroll: number
  /** The msgid before which older lines were asked for: they go there, also when they are of the same millisecond. */
  olderThan: string | null
}

const mostEntries = 5000

const openWindow = (name: string): Window => ({
  name,
  entries: [],
  ids: new Set(),
  members: new Map(),
  topic: '',
  unread: 0,
  mention: false,
  scroll: 0,
  olderThan: null,
})

/** Index at which an entry belongs by its time; almost always the end, or before the lines that a page of history precedes. */
function indexFor({ entries, olderThan }: Window, { atMs, past }: Entry): number {
  const page = past && olderThan !== null ? entries.findIndex(({ id }) => id === olderThan) : -1
  let at = page !== -1 && (entries[page]?.atMs ?? 0) >= atMs ? page : entries.length
  while (at > 0 && (entries[at - 1]?.atMs ?? 0) > atMs) at--
  return at
}

export class Windows {
  /** The first is the server's. */
  readonly all: Window[] = [openWindow('')]
  nick = ''
  fold: Fold = foldFor('ascii')
  #active = 0
  /** Told of each entry that was put below what a scrolled window shows. */
  readonly #grown: (window: Window, entry: Entry) => void

  constructor(grown: (window: Window, entry: Entry) => void = () => undefined) {
    this.#grown = grown
  }

  get server(): Window {
    return this.all[0] as Window
  }

  get active(): Window {
    return this.all[this.#active] ?? this.server
  }

  get activeIndex(): number {
    return this.#active
  }

  find(name: string): Window | undefined {
    const folded = this.fold(name)
    return this.all.find(window => this.fold(window.name) === folded)
  }

  open(name: string): Window {
    const found = this.find(name)
    if (found) return found
    const window = openWindow(name)
    this.all.push(window)
    return window
  }

  /** False when there is no window of that number. */
  select(index: number): boolean {
    const window = this.all[index]
    if (!window) return false
    this.#active = index
    window.unread = 0
    window.mention = false
    return true
  }

  show(window: Window): void {
    this.select(this.all.indexOf(window))
  }

  close(window: Window): void {
    const index = this.all.indexOf(window)
    if (index < 1) return
    this.all.splice(index, 1)
    if (this.#active >= index) this.select(Math.max(0, Math.min(this.#active - 1, this.all.length - 1)))
  }

  shares(channel: string, nick: string): boolean {
    return this.find(channel)?.members.has(this.fold(nick)) ?? false
  }

  /** False when it is there already (history and live lines overlap after a reconnect). */
  add(window: Window, entry: Entry): boolean {
    if (entry.id !== null) {
      if (window.ids.has(entry.id)) return false
      window.ids.add(entry.id)
    }
    const { entries } = window
    const at = indexFor(window, entry)
    entries.splice(at, 0, entry)
    if (at === entries.length - 1) this.#grown(window, entry)
    if (entries.length > mostEntries) window.ids.delete(entries.shift()?.id ?? '')
    this.#count(window, entry)
    return true
  }

  #count(window: Window, { kind, own, past, text }: Entry): void {
    // Greetings of servers and services are no news.
    if (window === this.active || window === this.server || own || past || kind === 'info') return
    window.unread++
    const direct = window.name !== '' && !/^[#&]/.test(window.name)
    window.mention ||= direct || this.#names(text)
  }

  #names(text: string): boolean {
    const [said, nick, letter] = [this.fold(text), this.fold(this.nick), /[\p{L}\p{N}_]/u]
    if (nick === '') return false
    for (let at = said.indexOf(nick); at !== -1; at = said.indexOf(nick, at + 1))
      if (!letter.test(said[at - 1] ?? ' ') && !letter.test(said[at + nick.length] ?? ' ')) return true
    return false
  }
}
