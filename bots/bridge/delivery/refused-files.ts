/** Which files are not passed on, and how a file may be called. */
import { truncate, visible } from '../../../core/text/text.ts'

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

/** One line that can be seen, without a path, at most 120 letters. */
export function fileName(name: string): string {
  const plain = visible(name)
    .replace(/^.*[/\\]/, '')
    .replace(/[<>:"|?*]/g, '_')
  return plain === '' || /^\.+$/.test(plain) ? 'file' : truncate(plain, 120)
}
