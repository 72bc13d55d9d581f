const mostBytes = 64 * 1024
/** The status says enough: whoever could answer in its place does not wait for the words. */
const wordsMs = 2000
/** No event of an answer, nor an answer that comes whole, is so long. */
const mostEventBytes = 16 * 1024 * 1024
/** Thousands of numbers in one piece, and as many pieces as may be asked for. */
const mostVectorBytes = 128 * 1024 * 1024

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

/** Where the last event of a piece ends, -1: in none. Blank lines end events (HTML, 9.2.5). */
function endIn(piece: Uint8Array): number {
  const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
  return Math.max(bytes.lastIndexOf('\n\n'), bytes.lastIndexOf('\n\r\n'), bytes.lastIndexOf('\r\r'))
}

/** Breaks off where an event does not end, or where what is read as a whole does not. */
function bounded(mostBytes: number, inEvents: boolean): TransformStream<Uint8Array, Uint8Array> {
  let heldBytes = 0
  return new TransformStream({
    transform(piece, controller) {
      const end = inEvents ? endIn(piece) : -1
      heldBytes = end < 0 ? heldBytes + piece.length : piece.length - end
      if (heldBytes > mostBytes) controller.error(new Endless())
      else controller.enqueue(piece)
    },
  })
}

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
  const response = await fetch(input, init)
  if (response.ok) return limited(response, input instanceof Request ? input.url : input.toString())
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
  const mostBytes = url.endsWith('/embeddings') ? mostVectorBytes : mostEventBytes
  const inEvents = url.endsWith('/chat/completions') && !isJson(headers)
  return new Response(body ? body.pipeThrough(bounded(mostBytes, inEvents)) : '', { headers })
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
