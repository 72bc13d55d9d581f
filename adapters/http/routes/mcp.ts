import { createMcpHandler, type McpHttpHandler, type McpServer } from '@modelcontextprotocol/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isLoopbackHost } from '../../../core/loopback.ts'
import { gone, holderOf } from '../command.ts'
import { hostOf } from '../config.ts'
import { hasScope } from '../door/access.ts'
import type { House, Routes } from '../house.ts'
import { type Asking, mcpServer } from '../mcp/server.ts'
import { noteRequest } from '../notes.ts'
import { Problem } from '../problem.ts'

/** A page that a browser shows must not reach us under a name of its own (DNS rebinding): what the specification asks servers for. */
function refuseForeign({ config }: House, { headers, host }: FastifyRequest): void {
  const { origin } = headers
  const name = host.replace(/:\d+$/, '')
  const own = config.url === null ? null : new URL(config.url)
  const isOurs = isLoopbackHost(name) || name === hostOf(config.listen) || name === own?.hostname
  if (!isOurs && config.url !== null)
    throw new Problem(421, 'misdirected', `this is not ${name}: the address is ${config.url}`)
  if (!isOurs && isLoopbackHost(hostOf(config.listen)))
    throw new Problem(
      421,
      'misdirected',
      'this listens on loopback: write 127.0.0.1, or give the address of the proxy before it as url',
    )
  if (origin === undefined || config.origins.includes(origin) || origin === own?.origin) return
  if (URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname)) return
  throw new Problem(403, 'denied', `pages of ${origin.slice(0, 100)} may not use this: name it in origins`)
}

/** The request as the library takes it; its body was read already. */
function requestOf(request: FastifyRequest, signal: AbortSignal): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    // The key stays here.
    if (value !== undefined && name !== 'authorization') headers.set(name, String(value))
  }
  const body = request.method === 'POST' ? { body: JSON.stringify(request.body ?? null) } : {}
  headers.delete('content-length')
  return new Request(new URL(request.url, `${request.protocol}://${request.host}`), {
    method: request.method,
    headers,
    signal,
    ...body,
  })
}

/** So many tools of one request are looked up, and noted. */
const mostTools = 50

const toolsIn = (body: unknown): string[] =>
  [body]
    .flat()
    .slice(0, mostTools)
    .flatMap(message => {
      const { method, params } = (message ?? {}) as { method?: unknown; params?: { name?: unknown } | null }
      return method === 'tools/call' && typeof params?.name === 'string' ? [params.name] : []
    })

/** Model Context Protocol, streamable HTTP: revision 2026-07-28, and clients of those before. `serverOf`: what is there for a request. */
export const mcpWith =
  (serverOf: (house: House, asking: Asking) => McpServer): Routes =>
  (app, house) => {
    const handler: McpHttpHandler = createMcpHandler(
      ({ authInfo }) => serverOf(house, authInfo?.extra?.['asking'] as Asking),
      { onerror: error => house.log.debug({ error }, 'a request of MCP') },
    )
    house.closing.addEventListener('abort', () => void handler.close(), { once: true })
    const answer = (request: FastifyRequest, reply: FastifyReply): Promise<Response> => {
      refuseForeign(house, request)
      const holder = holderOf(request)
      const signal = AbortSignal.any([gone(house, request, reply), house.closing])
      const tools = toolsIn(request.body)
      for (const tool of hasScope(holder, 'command') ? [] : tools)
        noteRequest(house, request, { command: `tool ${tool.slice(0, 64)}`, result: 'the key has no scope command' })
      const asking: Asking = { holder, signal, tools }
      const authInfo = { token: '', clientId: holder.account, scopes: [...holder.key.scopes], extra: { asking } }
      return handler.fetch(requestOf(request, signal), { authInfo, parsedBody: request.body })
    }
    app.route({
      method: ['GET', 'POST', 'DELETE'],
      url: '/mcp',
      config: { scope: 'any', hidden: true },
      handler: async (request, reply) => reply.send(await answer(request, reply)),
    })
  }

export const mcpRoutes = mcpWith(mcpServer)
