import { createHash, randomInt } from 'node:crypto'

/** What a code hands over: an agent's login, or a place beside another account. */
export const codeKinds = ['claim', 'link'] as const
export type CodeKind = (typeof codeKinds)[number]

const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** 60 random bits in letters that are not mistaken for each other: `ABCD-EFGH-JKLM`. */
export function newCode(): string {
  const drawn = Array.from({ length: 12 }, () => letters[randomInt(letters.length)]).join('')
  return drawn.replace(/(....)(....)/, '$1-$2-')
}

/** All that is kept of a code. */
export const codeHash = (kind: CodeKind, code: string): string =>
  createHash('sha256')
    .update(`chanop ${kind} ${code.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')}`)
    .digest('hex')

/** Words that have the form of a code, as they are written: with dashes, with spaces, in one piece, in lower case. */
export const codesIn = (text: string): string[] => [...text.matchAll(form)].map(([, code]) => code as string)

/** Looked for at every place: words before a code may have its form too. */
const form = /(?<![A-Za-z0-9])(?=([A-Za-z0-9]{4}(?:[-\u2010-\u2015 ]?[A-Za-z0-9]{4}){2})(?![A-Za-z0-9]))/g
