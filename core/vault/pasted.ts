/** What stands around a token where it was copied from: quotes, code, brackets, the word for its scheme, `bot` in an address. */
const around = /^(?:["'`“”‘’«»<[(]+|(?:bot|bearer)\s+|bot(?=\d+:))|["'`“”‘’«»>\])]+[.,;]?$/giu
/** What shows nothing, and the breaks of a line that was too long for its window. */
const unseen = /[\p{Cf}\r\n]+/gu

/**
 * A token as it was issued, out of what somebody copied: what stands around it and can't be seen is none of it. For tokens alone:
 * a password may hold anything.
 */
export function pastedToken(written: string): string {
  for (let token = written.replace(unseen, ''); ; ) {
    const bare = token.trim().replace(around, '')
    if (bare === token) return token
    token = bare
  }
}
