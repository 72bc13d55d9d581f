import type { Line } from '../../adapters/irc/text/line.ts'
import { act, type Stage } from './act.ts'
import { type Completion, complete } from './complete.ts'
import { afterSending, type Editor, edits, emptyEditor, insert, setText } from './editor.ts'
import type { Target } from './endpoint.ts'
import { remark } from './entry.ts'
import { follow } from './follow.ts'
import { readInput } from './input.ts'
import { type Press, pasted, press } from './keys.ts'
import { isBot, type KnownCommands } from './known.ts'
import { RowCache } from './render.ts'
import { bodyHeight, bodyRows, frame, type View } from './screen.ts'
import { Session } from './session.ts'
import type { Terminal } from './terminal.ts'
import { Windows } from './windows.ts'

export interface AppOptions {
  readonly target: Target
  readonly prefix: string
  readonly known: KnownCommands
  readonly note: string | null
  readonly terminal: Terminal
}

const frameMs = 16
/** What was pasted comes at once: a key behind so long a pause was pressed. */
const pauseMs = 300
const offline = 'offline'

export class App {
  readonly #options: AppOptions
  readonly #cache = new RowCache()
  readonly #stop = new AbortController()
  readonly windows: Windows
  readonly #session: Session
  #editor: Editor = emptyEditor
  #state = ''
  /** The completion that the last Tab began, and which of its choices stands in the line. */
  #tab: { completion: Completion; choice: number; rest: string } | null = null
  #pasting = false
  #keyMs = 0
  #timer: NodeJS.Timeout | undefined
  readonly #asked = new Set<string>()

  constructor(options: AppOptions) {
    this.#options = options
    this.windows = new Windows((window, entry) => {
      if (window.scroll > 0) window.scroll += this.#cache.rows(entry, options.terminal.width, Date.now()).length
    })
    this.#session = new Session(options.target, {
      line: (line, past) => this.#line(line, past),
      ready: nick => this.#ready(nick),
      down: reason => this.#down(reason),
    })
  }

  /** Resolves after a wish to leave; rejects when the server refuses us. The screen opens with the first login. */
  async run(signal: AbortSignal): Promise<void> {
    const { target, terminal, note } = this.#options
    for (const channel of target.channels) this.windows.open(channel)
    this.windows.select(1)
    const hint = `hello ${target.account}: say ${this.#options.prefix}help to the bots; /help lists the keys and words of this window, /quit leaves`
    for (const text of [note, hint]) if (text !== null) this.windows.add(this.windows.active, remark(text))
    try {
      await this.#session.run(AbortSignal.any([signal, this.#stop.signal]))
    } finally {
      clearTimeout(this.#timer)
      terminal.close()
    }
  }

  #ready(nick: string): void {
    const { terminal } = this.#options
    if (this.#state === '')
      terminal.open(
        (typed, key) => this.#key(press(typed, key)),
        () => this.#soon(),
      )
    this.windows.nick = nick
    if (this.#state === offline) this.windows.add(this.windows.active, remark('connected again'))
    this.#state = nick
    this.#soon()
  }

  #down(reason: string): void {
    // Attempts that fail alike are one remark.
    if (this.#state !== offline) this.windows.add(this.windows.active, remark(`${reason}; trying again`, 'error'))
    this.#state = offline
    this.#soon()
  }

  #line(line: Line, past: boolean): void {
    const placed = follow(line, past, this.windows)
    if (placed && isBot(line)) this.#options.known.learn(placed.entry.text)
    this.#soon()
  }

  #view(): View {
    const { terminal } = this.#options
    const { width, height } = terminal
    const hint = this.#tab && this.#tab.completion.choices.length > 1 ? this.#tab.completion.choices.join(' ') : ''
    return { windows: this.windows, editor: this.#editor, width, height, state: this.#state, hint, nowMs: Date.now() }
  }

  /** Many lines at once are one frame. */
  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#options.terminal.draw(frame(this.#view(), this.#cache))
    }, frameMs)
  }

  #key(pressed: Press | null): void {
    if (!pressed) return
    if (pressed.kind !== 'tab') this.#tab = null
    const isAlone = performance.now() - this.#keyMs > pauseMs
    this.#keyMs = performance.now()
    // The end of a paste may get lost, behind half a key that was pasted: that is no prison.
    const acts = pressed.kind === 'paste-end' || (pressed.kind === 'quit' && isAlone)
    if (this.#pasting && !acts) this.#editor = insert(this.#editor, pasted(pressed))
    else this.#do(pressed)
    this.#soon()
  }

  #do(pressed: Press): void {
    switch (pressed.kind) {
      case 'text':
        this.#editor = insert(this.#editor, pressed.text)
        break
      case 'edit':
        this.#editor = edits[pressed.edit](this.#editor)
        break
      case 'enter':
        this.#enter()
        break
      case 'tab':
        this.#complete()
        break
      case 'window':
        this.windows.select(pressed.number)
        break
      case 'step':
        this.windows.select((this.windows.activeIndex + pressed.by + this.windows.all.length) % this.windows.all.length)
        break
      case 'page':
        this.#page(pressed.by)
        break
      case 'bottom':
        this.windows.active.scroll = 0
        break
      case 'redraw':
        this.#options.terminal.redraw()
        break
      case 'paste-start':
      case 'paste-end':
        this.#pasting = pressed.kind === 'paste-start'
        break
      case 'end-of-input':
        if (this.#editor.text === '') this.#stop.abort()
        else this.#editor = edits.delete(this.#editor)
        break
      case 'quit':
        this.#stop.abort()
    }
  }

  #enter(): void {
    const action = readInput(this.#editor.text, this.#options.prefix, this.#options.known.names)
    const { prefix } = this.#options
    const stage: Stage = {
      session: this.#session,
      windows: this.windows,
      prefix,
      remark: (text, kind) => void this.windows.add(this.windows.active, remark(text, kind)),
      quit: () => this.#stop.abort(),
    }
    this.windows.active.scroll = 0
    if (!action || act(action, stage)) this.#editor = afterSending(this.#editor)
  }

  #complete(): void {
    const { text, cursor } = this.#editor
    if (!this.#tab) {
      const completion = complete(text, cursor, this.#sources())
      if (!completion) return
      this.#tab = { completion, choice: -1, rest: text.slice(cursor) }
    }
    const { completion, rest } = this.#tab
    this.#tab.choice = (this.#tab.choice + 1) % completion.choices.length
    const head = text.slice(0, completion.from) + (completion.choices[this.#tab.choice] ?? '')
    this.#editor = setText(this.#editor, head + rest, head.length)
  }

  #sources(): Parameters<typeof complete>[2] {
    const { all, active, nick } = this.windows
    const named = all.map(window => window.name).filter(name => name !== '')
    const direct = named.filter(name => !/^[#&]/.test(name))
    const nicks = [...active.members.values(), ...direct].filter(name => name !== nick)
    return {
      prefix: this.#options.prefix,
      commands: this.#options.known.names,
      settings: this.#options.known.settings,
      groups: this.#options.known.groups,
      nicks:
        nicks.length > 0 ? nicks : all.flatMap(window => [...window.members.values()]).filter(name => name !== nick),
      channels: named.filter(name => /^[#&]/.test(name)),
    }
  }

  #page(by: 1 | -1): void {
    const window = this.windows.active
    const step = Math.max(1, bodyHeight(this.#options.terminal.height) - 1)
    window.scroll = Math.max(0, window.scroll + by * step)
    const { scroll, atTop } = bodyRows(this.#view(), this.#cache)
    window.scroll = scroll
    const oldest = window.entries.find(entry => entry.id !== null)?.id ?? null
    if (!atTop || oldest === null || window.name === '' || this.#asked.has(oldest)) return
    this.#asked.add(oldest)
    window.olderThan = oldest
    this.#session.history(window.name, oldest)
  }
}
