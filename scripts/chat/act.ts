/** Carries out what a typed line asks for; the same with and without a screen. */
import type { Entry } from './entry.ts'
import { type Action, ownHelp } from './input.ts'
import type { Session } from './session.ts'
import type { Window, Windows } from './windows.ts'

export interface Stage {
  readonly session: Session
  readonly windows: Windows
  readonly prefix: string
  /** Says something of this client's own to who types. */
  readonly remark: (text: string, kind: Extract<Entry['kind'], 'info' | 'error'>) => void
  quit(): void
}

/** Shows what we said where the server does not send it back. */
function echo({ session, windows }: Stage, to: string, text: string, action: boolean): void {
  if (session.has('echo-message')) return
  const kind = action ? 'action' : 'message'
  windows.add(windows.open(to), { id: null, atMs: Date.now(), kind, from: session.nick, text, own: true, past: false })
}

function say(stage: Stage, to: string, text: string, action = false): boolean {
  if (to === '') {
    stage.remark('nobody reads this window: Alt-1 or /win 1 goes to the first channel', 'error')
    return false
  }
  if (!stage.session.say(to, text, action)) {
    stage.remark('not connected; nothing was sent, the line is still there', 'error')
    return false
  }
  echo(stage, to, text, action)
  return true
}

function part({ session, windows, remark }: Stage, name: string | null): boolean {
  const window = name === null ? windows.active : windows.find(name)
  if (!window || window.name === '') {
    remark('no such window to close', 'error')
    return false
  }
  if (/^[#&]/.test(window.name)) session.part(window.name)
  windows.close(window)
  return true
}

function query({ session, windows }: Stage, to: string): void {
  const known = windows.find(to)
  const window: Window = known ?? windows.open(to)
  if (!known) session.history(to)
  windows.show(window)
}

/** False when nothing was done and the line should stay. */
export function act(action: Action, stage: Stage): boolean {
  const { session, windows, remark } = stage
  switch (action.kind) {
    case 'say':
      return say(stage, windows.active.name, action.text)
    case 'me':
      return say(stage, windows.active.name, action.text, true)
    case 'message':
      return say(stage, action.to, action.text)
    case 'query':
      query(stage, action.to)
      return true
    case 'join':
      session.join(action.channel)
      windows.show(windows.open(action.channel))
      return true
    case 'part':
      return part(stage, action.name)
    case 'window':
      if (windows.select(action.number)) return true
      remark(`there is no window ${action.number}; the bar below lists them`, 'error')
      return false
    case 'show': {
      const window = windows.find(action.name)
      if (window) windows.show(window)
      else
        remark(
          `no window is called ${action.name}: /query ${action.name} opens a conversation, /join a channel`,
          'error',
        )
      return window !== undefined
    }
    case 'names':
      remark([...windows.active.members.values()].sort().join(' ') || 'nobody is known here', 'info')
      return true
    case 'help':
      for (const line of ownHelp(stage.prefix)) remark(line, 'info')
      return true
    case 'quit':
      stage.quit()
      return true
    case 'wrong':
      remark(action.message, 'error')
      return false
  }
}
