/** Which files are not passed on, and how a file may be called. */
import { truncate, unstacked, visible } from '../../../core/text/text.ts'

/** Programs of Windows, Linux and macOS, by how they begin. */
const programs = ['4d5a', '7f454c46', 'feedface', 'feedfacf', 'cefaedfe', 'cffaedfe', 'cafebabe']

/** Whether bytes begin as a program does. */
export const isProgram = (head: Uint8Array): boolean => {
  const hex = Buffer.from(head.subarray(0, 4)).toString('hex')
  return programs.some(beginning => hex.startsWith(beginning))
}

/** Whether a name ends in one of these. Windows passes over dots and blanks at the end. */
export function endsIn(name: string, endings: readonly string[]): string | null {
  const ending = /\.([^.]*)$/.exec(
    visible(name)
      .toLowerCase()
      .replace(/[. ]+$/, ''),
  )?.[1]
  return ending !== undefined && endings.includes(ending) ? ending : null
}

const longestName = 120

/** One line that can be seen, without a path, at most 120 letters: what a long one ends in says what it is. */
export function fileName(name: string): string {
  const plain = unstacked(visible(name))
    .replace(/^.*[/\\]/, '')
    .replace(/[<>:"|?*]/g, '_')
  if (plain === '' || /^\.+$/.test(plain)) return 'file'
  const [ending = ''] = /\.[\p{L}\p{N}]{1,10}$/u.exec(plain) ?? []
  return truncate(plain.slice(0, plain.length - ending.length), longestName - ending.length) + ending
}
