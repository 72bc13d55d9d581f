import { isRecord } from '../../../core/loose.ts'
import { hiddenKey } from '../../../core/vault/key-shapes.ts'
import type { RawPart } from '../models/contract.ts'

/** Changes the texts of a chunk, each with the path by which later chunks go on with it: calls of tools are told apart by their number. */
function changed(value: unknown, change: (path: string, text: string) => string, path = ''): unknown {
  if (typeof value === 'string') return change(path, value)
  if (Array.isArray(value)) {
    return value.map((each: unknown, at) => {
      const index = isRecord(each) && typeof each['index'] === 'number' ? each['index'] : at
      return changed(each, change, `${path}/${index}`)
    })
  }
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, changed(each, change, `${path}/${key}`)]))
}

/** What comes whole, and no later chunk goes on with. */
const whole = /\/(?:role|type|id|name|finish_reason)$/

/** The texts of a chunk that later ones may go on with. */
function textsIn({ chunk }: RawPart): Map<string, string> {
  const texts = new Map<string, string>()
  changed(isRecord(chunk) ? chunk['choices'] : null, (path, text) => {
    if (!whole.test(path)) texts.set(path, (texts.get(path) ?? '') + text)
    return text
  })
  return texts
}

interface Held {
  readonly part: RawPart
  readonly texts: Map<string, string>
}

/** How many of the last characters of a text may be the beginning of a secret. */
function openLength(text: string, known: readonly string[]): number {
  let open = 0
  for (const value of known)
    for (let length = Math.min(value.length - 1, text.length); length > open; length--)
      if (text.endsWith(value.slice(0, length))) open = length
  return open
}

/** Takes secrets out of chunks that are passed on, also one that comes in pieces: a chunk waits while it may hold the beginning of one. */
export class PassedGuard {
  readonly #known: readonly string[]
  #held: Held[] = []

  /** `known`: the longest first. */
  constructor(known: readonly string[]) {
    this.#known = known
  }

  /** What can be passed on now. */
  take(part: RawPart): RawPart[] {
    this.#held.push({ part, texts: textsIn(part) })
    const texts = this.#held.map(held => held.texts)
    let ready = this.#held.length
    for (const path of new Set(texts.flatMap(each => [...each.keys()])))
      ready = Math.min(ready, this.#readyOf(path, texts))
    return this.#held.splice(0, ready).map(held => held.part)
  }

  /** What still waited: nothing comes behind it. */
  end(): RawPart[] {
    return this.#held.splice(0).map(held => held.part)
  }

  /** What came so far is void. */
  restart(): void {
    this.#held = []
  }

  /** How many of the chunks hold nothing of a secret that may go on. */
  #readyOf(path: string, texts: readonly Map<string, string>[]): number {
    let joined = texts.map(each => each.get(path) ?? '').join('')
    if (this.#known.some(value => joined.includes(value))) {
      joined = this.#known.reduce((safe, value) => safe.replaceAll(value, hiddenKey), joined)
      this.#write(path, joined)
    }
    let open = openLength(joined, this.#known)
    if (open === 0) return texts.length
    for (let at = texts.length - 1; at >= 0; at--) {
      open -= texts[at]?.get(path)?.length ?? 0
      if (open <= 0) return at
    }
    return 0
  }

  /** The first chunk that has something there says all of it, the others nothing. */
  #write(path: string, text: string): void {
    let left = text
    for (const [at, { part, texts }] of this.#held.entries()) {
      if (!texts.has(path)) continue
      texts.set(path, left)
      const choices = changed((part.chunk as { choices: unknown }).choices, (here, said) => {
        if (here !== path) return said
        const own = left
        left = ''
        return own
      })
      this.#held[at] = { part: { ...part, chunk: { ...(part.chunk as object), choices } }, texts }
    }
  }
}
