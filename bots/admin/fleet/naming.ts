import { takeBytes } from '../../../core/text/cut.ts'

/** UTF-8 bytes of one line: every network carries that many beside its own prefix. */
const lineBytes = 360
const wordsBytes = 200

/** Words short enough that names find room beside them. */
export function shortWords(words: string): string {
  const [head, rest] = takeBytes(words, wordsBytes)
  return rest === '' ? words : `${head.trimEnd()}…`
}

/** `worker-001, worker-002: alice: status`: as many lines as the names need, each with all that is said. */
export function naming(names: readonly string[], words: string): string[] {
  const behind = `: ${words}`
  const lines: string[] = []
  let line = ''
  for (const name of names) {
    const longer = line === '' ? name : `${line}, ${name}`
    if (line !== '' && Buffer.byteLength(longer + behind) > lineBytes) {
      lines.push(line + behind)
      line = name
    } else line = longer
  }
  return line === '' ? lines : [...lines, line + behind]
}

/** All names, in as many lines as they need. */
export const chunks = (names: readonly string[]): string[] => naming(names, '').map(line => line.slice(0, -2))
