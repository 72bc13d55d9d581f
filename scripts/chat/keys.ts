import type { Edit } from './editor.ts'
import type { Key } from './terminal.ts'

export type Press =
  | { readonly kind: 'edit'; readonly edit: Edit }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'window'; readonly number: number }
  | { readonly kind: 'step'; readonly by: 1 | -1 }
  | { readonly kind: 'page'; readonly by: 1 | -1 }
  | { readonly kind: 'enter' | 'tab' | 'bottom' | 'redraw' | 'quit' | 'end-of-input' | 'paste-start' | 'paste-end' }

const plainKeys: Readonly<Record<string, Press>> = {
  return: { kind: 'enter' },
  enter: { kind: 'enter' },
  tab: { kind: 'tab' },
  pageup: { kind: 'page', by: 1 },
  pagedown: { kind: 'page', by: -1 },
  left: { kind: 'edit', edit: 'left' },
  right: { kind: 'edit', edit: 'right' },
  up: { kind: 'edit', edit: 'older' },
  down: { kind: 'edit', edit: 'newer' },
  home: { kind: 'edit', edit: 'home' },
  end: { kind: 'edit', edit: 'end' },
  backspace: { kind: 'edit', edit: 'backspace' },
  delete: { kind: 'edit', edit: 'delete' },
  'paste-start': { kind: 'paste-start' },
  'paste-end': { kind: 'paste-end' },
}

const ctrlKeys: Readonly<Record<string, Press>> = {
  a: { kind: 'edit', edit: 'home' },
  e: { kind: 'edit', edit: 'end' },
  b: { kind: 'edit', edit: 'left' },
  f: { kind: 'edit', edit: 'right' },
  h: { kind: 'edit', edit: 'backspace' },
  k: { kind: 'edit', edit: 'cutAfter' },
  u: { kind: 'edit', edit: 'cutBefore' },
  w: { kind: 'edit', edit: 'cutWord' },
  y: { kind: 'edit', edit: 'yank' },
  p: { kind: 'edit', edit: 'older' },
  n: { kind: 'edit', edit: 'newer' },
  left: { kind: 'edit', edit: 'wordLeft' },
  right: { kind: 'edit', edit: 'wordRight' },
  end: { kind: 'bottom' },
  l: { kind: 'redraw' },
  c: { kind: 'quit' },
  d: { kind: 'end-of-input' },
}

const metaKeys: Readonly<Record<string, Press>> = {
  b: { kind: 'edit', edit: 'wordLeft' },
  f: { kind: 'edit', edit: 'wordRight' },
  backspace: { kind: 'edit', edit: 'cutWord' },
  left: { kind: 'step', by: -1 },
  right: { kind: 'step', by: 1 },
  // Behind an ESC that was pasted.
  'paste-end': { kind: 'paste-end' },
}

/** What a key stands for in pasted text: there none has a meaning of its own, and what is no text is dropped. */
export const pasted = (pressed: Press): string =>
  pressed.kind === 'text' ? pressed.text : ({ enter: '\n', tab: ' ' }[pressed.kind as string] ?? '')

/** What a keypress (as node:readline reports it) means; null for keys without a meaning here. */
export function press(typed: string | undefined, key: Key): Press | null {
  const name = key.name ?? ''
  const digit = /^\x1b([0-9])$/.exec(key.sequence ?? '')?.[1]
  if (digit !== undefined) return { kind: 'window', number: Number(digit) }
  const table = key.meta ? metaKeys : key.ctrl ? ctrlKeys : plainKeys
  if (Object.hasOwn(table, name)) return table[name] ?? null
  const printable =
    typed !== undefined && !key.ctrl && !key.meta && !typed.startsWith('\x1b') && typed >= ' ' && typed !== '\x7f'
  return printable ? { kind: 'text', text: typed } : null
}
