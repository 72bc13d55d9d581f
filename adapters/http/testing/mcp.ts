import type { World } from './world.ts'

export interface McpReply<T> {
  readonly result?: T
  readonly error?: { readonly code: number; readonly message: string }
}

/** One request of MCP as clients of 2025-11-25 send it. Streamable HTTP answers with JSON or with one event. */
export async function callMcp<T>(world: World, key: string, method: string, params: object): Promise<McpReply<T>> {
  const response = await fetch(`${world.url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
      authorization: `Bearer ${key}`,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(10_000),
  })
  const text = await response.text()
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as McpReply<T>
}
