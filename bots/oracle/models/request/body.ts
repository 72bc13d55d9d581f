import { setImmediate } from 'node:timers/promises'

const mostBytes = 64 * 1024
/** The status says enough: whoever could answer in its place does not wait for the words. */
const wordsMs = 2000
/** No event of an answer, nor an answer that comes whole, is so long. */
const mostEventBytes = 16 * 1024 * 1024
/** Thousands of numbers in one piece, and as many pieces as may be asked for. */
const mostVectorBytes = 128 * 1024 * 1024
/** Signs of life for hours. */
const mostIdleBytes = 256 * 1024

/** At most the beginning of a body: an error of many megabytes, or one that never ends, is no reason to hold or await it. */
async function beginning({ body }: Response): Promise<string> {
  const reader = body?.getReader()
  if (!reader) return ''
  const decoder = new TextDecoder()
  let text = ''
  const leave = (): Promise<void> => reader.cancel().catch(() => undefined)
  const timer = setTimeout(() => void leave(), wordsMs)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return text
      text += decoder.decode(value as Uint8Array, { stream: true })
      if (text.length > mostBytes) return text
    }
  } catch {
    // Cut off in the middle: what came before says what it can.
    return text
  } finally {
    clearTimeout(timer)
    void leave()
  }
}

/** A service sent what no answer is: the package would hold all of it. */
export class Endless extends Error {}

/** A service leads elsewhere: what it is told, key and words of people, is for its own address alone. */
export class LedOn extends Error {
  /** Where to; null: it does not say, or it is no address. */
  readonly host: string | null

  constructor(location: string | null, from: string) {
    super('led on')
    this.host = location === null ? null : (URL.parse(location, from)?.host ?? null)
  }
}

/** Where the last event of a piece ends, -1: in none. Blank lines end events (HTML, 9.2.5). */
const endIn = (piece: Buffer): number =>
  Math.max(piece.lastIndexOf('\n\n'), piece.lastIndexOf('\n\r\n'), piece.lastIndexOf('\r\r'))

const aLine = /(?:^|[\r\n])data/

/** Takes the pieces of a body in their order; throws where one is too much. */
type Meter = (piece: Buffer) => void

/** What is read as a whole has an end. */
function ofWhole(mostBytes: number): Meter {
  let bytes = 0
  return piece => {
    if ((bytes += piece.length) > mostBytes) throw new Endless()
  }
}

/** Each event has an end, and there are some with data in them: comments keep a connection open and say nothing. */
function ofEvents(): Meter {
  let heldBytes = 0
  let idleBytes = 0
  return piece => {
    const end = endIn(piece)
    heldBytes = end < 0 ? heldBytes + piece.length : piece.length - end
    if (aLine.test(piece.toString('latin1'))) idleBytes = 0
    else if (end >= 0) idleBytes += piece.length
    if (heldBytes > mostEventBytes || idleBytes > mostIdleBytes) throw new Endless()
  }
}

/** A blank line costs the package as much as an event: after so many bytes others have their turn. */
const turnBytes = 4096

/**
 * A body that is read on as it comes, however slow who listens is: `fetch` does not bear that a server hangs up while what it sent
 * waits there (see core/process/bot.ts). It ends where `meter` says so, behind what came before.
 */
class Metered {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #meter: Meter
  readonly #held: Uint8Array[] = []
  #heldBytes = 0
  #more = Promise.withResolvers<void>()
  readonly #reading: Promise<void>
  #open = true

  constructor(body: ReadableStream<Uint8Array>, meter: Meter) {
    this.#reader = body.getReader()
    this.#meter = meter
    this.#reading = this.#read().finally(() => {
      this.#open = false
      this.#more.resolve()
    })
    // Whoever comes to the end of it hears of it.
    this.#reading.catch(() => undefined)
  }

  async #read(): Promise<void> {
    try {
      for (let next = await this.#reader.read(); !next.done; next = await this.#reader.read()) this.#take(next.value)
    } catch (error) {
      // Where it is the connection that failed, this fails likewise.
      await this.#reader.cancel(error).catch(() => undefined)
      throw error
    }
  }

  #take({ buffer, byteOffset, byteLength }: Uint8Array): void {
    for (let at = 0; at < byteLength; at += turnBytes) {
      const piece = Buffer.from(buffer, byteOffset + at, Math.min(turnBytes, byteLength - at))
      this.#meter(piece)
      this.#held.push(piece)
    }
    if ((this.#heldBytes += byteLength) > mostVectorBytes) throw new Endless()
    this.#more.resolve()
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (this.#held.length === 0 && this.#open) {
      await this.#more.promise
      this.#more = Promise.withResolvers()
    }
    const piece = this.#held.shift()
    if (piece) {
      this.#heldBytes -= piece.length
      controller.enqueue(piece)
      await setImmediate()
      return
    }
    await this.#reading
    controller.close()
  }

  cancel(reason: unknown): Promise<void> {
    return this.#reader.cancel(reason)
  }
}

const metered = (body: ReadableStream<Uint8Array>, meter: Meter): ReadableStream<Uint8Array> =>
  new ReadableStream(new Metered(body, meter), { highWaterMark: 0 })

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/**
 * `fetch`, with an end to what one event may be, and the body of a refusal kept: the package reads `{error: {…}}` alone, and others write `{detail: […]}`,
 * `{message}`, `{error: '…'}` or plain text.
 */
export async function fetchWithBody(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, { ...init, redirect: 'manual' })
  const url = input instanceof Request ? input.url : input.toString()
  if (response.ok) return limited(response, url)
  if (response.status < 400) throw new LedOn(response.headers.get('location'), url)
  const text = await beginning(response)
  const body = parsed(text)
  const inside = typeof body === 'object' && body !== null && 'error' in body ? body.error : body
  const error = typeof inside === 'object' && inside !== null ? inside : { message: String(inside) }
  const words = written({ error }) ?? written({ error: { message: text.slice(0, 200) } })
  const headers = new Headers(response.headers)
  for (const name of ['content-length', 'content-encoding']) headers.delete(name)
  return new Response(words, { status: response.status, headers })
}

/** What calls itself JSON comes whole, whatever it was asked for. */
export const isJson = (headers: Headers): boolean => /\bjson\b/i.test(headers.get('content-type') ?? '')

/** One without a body has an empty one. */
function limited({ headers, body }: Response, url: string): Response {
  const inEvents = url.endsWith('/chat/completions') && !isJson(headers)
  const meter = inEvents ? ofEvents() : ofWhole(url.endsWith('/embeddings') ? mostVectorBytes : mostEventBytes)
  return new Response(body ? metered(body, meter) : '', { headers })
}

/** Null: it is so deep that it can't be written. */
function written(body: object): string | null {
  try {
    return JSON.stringify(body)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}
