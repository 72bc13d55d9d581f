/** The form of the keys by which programs speak for somebody. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** What a key may be used for. */
export const scopes = ['read', 'say', 'command', 'agents', 'models'] as const
export type Scope = (typeof scopes)[number]

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** `count` letters, each of 62 alike. */
function drawn(count: number): string {
  let word = ''
  while (word.length < count) {
    for (const byte of randomBytes(count)) if (byte < 248 && word.length < count) word += letters[byte % 62]
  }
  return word
}

/** A new key: `chanop_` · 8 letters by which it is found · 43 that are secret (256 bits). */
export const newApiKey = (): string => `chanop_${drawn(8)}_${drawn(43)}`

/** The word in the address of a webhook: 40 letters that are secret (238 bits). Kept as `apiKeyHash` of it. */
export const newHookWord = (): string => `hook_${drawn(40)}`

const form = /^chanop_([A-Za-z0-9]{8})_[A-Za-z0-9]{43}$/

/** The part of a key by which it is found; null: that is none. */
export const prefixOf = (key: string): string | null => form.exec(key)?.[1] ?? null

/** All that is kept of a key. It is random: no slow hash is needed to keep it. */
export const apiKeyHash = (key: string): string => createHash('sha256').update(key).digest('hex')

/** Whether a key is the one of a hash, in a time that says nothing of how near it is. */
export const opens = (key: string, hash: string): boolean =>
  timingSafeEqual(Buffer.from(apiKeyHash(key), 'hex'), Buffer.from(hash, 'hex'))
