const mostBytes = 64 * 1024

/** At most the beginning of a body: an error of many megabytes is no reason to hold them. */
async function beginning(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece as Uint8Array, { stream: true })
    if (text.length > mostBytes) break
  }
  return text
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/**
 * `fetch`, with the body of a refusal kept: the package reads `{error: {…}}` alone, and others write `{detail: […]}`,
 * `{message}`, `{error: '…'}` or plain text.
 */
export async function fetchWithBody(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init)
  if (response.ok) return response
  const body = parsed(await beginning(response))
  const inside = typeof body === 'object' && body !== null && 'error' in body ? body.error : body
  const error = typeof inside === 'object' && inside !== null ? inside : { message: String(inside) }
  const headers = new Headers(response.headers)
  for (const name of ['content-length', 'content-encoding']) headers.delete(name)
  return new Response(JSON.stringify({ error }), { status: response.status, headers })
}
