/** Redis' protocol, RESP2: https://redis.io/docs/latest/develop/reference/protocol-spec/. */

/** Redis refuses a command: its own words, which begin with a code such as `NOAUTH`. */
export class Refusal extends Error {}

export type Reply = string | number | null | Refusal | readonly Reply[]

/** A command is an array of bulk strings. */
export const commandOf = (words: readonly string[]): string =>
  `*${words.length}\r\n${words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`

/** A reply, and where what follows it begins; null: it has not come as a whole yet. */
type Read = { readonly reply: Reply; readonly end: number } | null

/** Bytes in, replies out. */
export class Replies {
  #rest: Buffer = Buffer.alloc(0)

  /** The replies that are whole now. Throws for bytes that are no RESP. */
  push(bytes: Buffer): Reply[] {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const replies: Reply[] = []
    let at = 0
    for (let next = read(all, at); next; next = read(all, at)) {
      replies.push(next.reply)
      at = next.end
    }
    this.#rest = all.subarray(at)
    return replies
  }
}

function read(bytes: Buffer, at: number): Read {
  const line = bytes.indexOf('\r\n', at)
  if (line < 0) return null
  const [text, end] = [bytes.toString('utf8', at + 1, line), line + 2]
  switch (String.fromCharCode(bytes[at] ?? 0)) {
    case '+':
      return { reply: text, end }
    case '-':
      return { reply: new Refusal(text), end }
    case ':':
      return { reply: Number(text), end }
    case '$':
      return bulk(bytes, end, Number(text))
    case '*':
      return list(bytes, end, Number(text))
    default:
      throw new Error('what answers there is not Redis')
  }
}

function bulk(bytes: Buffer, at: number, length: number): Read {
  if (length < 0) return { reply: null, end: at }
  if (bytes.length < at + length + 2) return null
  return { reply: bytes.toString('utf8', at, at + length), end: at + length + 2 }
}

function list(bytes: Buffer, at: number, length: number): Read {
  if (length < 0) return { reply: null, end: at }
  const reply: Reply[] = []
  let end = at
  while (reply.length < length) {
    const next = read(bytes, end)
    if (!next) return null
    reply.push(next.reply)
    end = next.end
  }
  return { reply, end }
}
