import { BlockList, isIP, type Socket } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type RouteOptions } from 'fastify'
import { isLoopbackHost } from '../../core/loopback.ts'
import type { HttpConfig } from './config.ts'
import { allowOrigins } from './door/cors.ts'
import { Guard } from './door/guard.ts'
import type { Pair } from './door/tls.ts'
import { answerUnread, isUpgrade } from './door/unread.ts'
import type { House, Routes } from './house.ts'
import { readJson } from './json.ts'
import { asProblem, Problem } from './problem.ts'

const headerBytes = 16_384
const headersMs = 10_000
const requestMs = 30_000
const keepAliveMs = 10_000
const requestsPerSocket = 10_000

/** Without TLS of its own it talks to this machine and to the proxies that are named, and to nobody else. */
function strangersOut(app: FastifyInstance, { tls, proxy }: HttpConfig): void {
  if (tls) return
  const named = new BlockList()
  for (const one of proxy) {
    const [ip = '', bits] = one.split('/')
    const family = isIP(ip) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) named.addAddress(ip, family)
    else named.addSubnet(ip, Number(bits), family)
  }
  app.server.on('connection', (socket: Socket) => {
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '')
    const isNamed = named.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
    if (!isLoopbackHost(address) && !isNamed) socket.destroy()
  })
}

const graceMs = 300

/** Closes a server and, after a moment for last words, whatever connection is still open, upgraded ones too. */
export async function closeServer(app: FastifyInstance, sockets: ReadonlySet<Socket>): Promise<void> {
  const timer = setTimeout(() => sockets.forEach(socket => socket.destroy()), graceMs)
  await app.close()
  clearTimeout(timer)
}

/** All connections of a server, as they come and go. */
export function socketsOf(app: FastifyInstance): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

/** `/v1/channels/:channel` has what `/v1/channels/general` asks for. */
function isOf(route: string, path: string): boolean {
  const asked = path.split('/')
  const parts = route.split('/')
  return parts.length === asked.length && parts.every((part, at) => part === asked[at] || part.startsWith(':'))
}

/** An address that is there, but not for this method, or one that is not there at all. */
function nothingHere(routes: readonly RouteOptions[], { url, method }: FastifyRequest): Problem {
  const path = url.replace(/[?#].*/s, '')
  const methods = new Set(routes.filter(route => isOf(route.url, path)).flatMap(route => route.method))
  if (methods.size === 0)
    return new Problem(404, 'not-found', 'there is nothing here: GET /openapi.json lists what there is')
  const allow = [...methods].join(', ')
  return new Problem(405, 'method', `${method} is nothing here, only ${allow}`, { headers: { allow } })
}

/** A server with these routes, not listening yet; with TLS where it has a pair. */
export function makeServer(house: House, routes: readonly Routes[], pair: Pair | null): FastifyInstance {
  const { config } = house
  const options = {
    logger: false as const,
    bodyLimit: config.bodyBytes,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    maxRequestsPerSocket: requestsPerSocket,
    routerOptions: { maxParamLength: 400 },
    forceCloseConnections: true as const,
    trustProxy: config.proxy.length > 0 ? [...config.proxy] : false,
    exposeHeadRoutes: false,
    // What the router itself can not read: it asks nobody else, and would repeat the whole address.
    frameworkErrors: (error: unknown, _request: FastifyRequest, reply: FastifyReply): void => {
      const { status, code } = asProblem(error)
      const problem = new Problem(status, code, 'this address can not be read')
      void reply.code(status).type('application/problem+json').send(problem.body())
    },
    ajv: { customOptions: { coerceTypes: false as const, removeAdditional: false, allErrors: false } },
  }
  const limits = {
    maxHeaderSize: headerBytes,
    headersTimeout: headersMs,
    connectionsCheckingInterval: 5000,
    requireHostHeader: false,
    shouldUpgradeCallback: isUpgrade,
  }
  const app = (
    pair
      ? Fastify({ ...options, https: { ...limits, handshakeTimeout: headersMs, ...pair.options } })
      : Fastify({ ...options, http: limits })
  ) as FastifyInstance
  app.server.maxConnections = config.connections
  readJson(app)
  strangersOut(app, config)
  answerUnread(app)
  app.setErrorHandler((error, request, reply) => {
    const problem = asProblem(error)
    if (problem.status >= 500 && problem.code === 'internal')
      house.log.error({ error, route: request.routeOptions.url }, 'a request failed')
    return reply.code(problem.status).headers(problem.headers).type('application/problem+json').send(problem.body())
  })
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    house.metrics.answered(route, request.method, reply.statusCode, reply.elapsedTime / 1000)
  })
  app.addHook('onRoute', route => void house.described.push(route))
  allowOrigins(app, config.origins)
  new Guard(house).install(app)
  app.addHook('onRequest', async request => {
    if (request.is404) throw nothingHere(house.described, request)
  })
  for (const register of routes) register(app, house)
  return app
}
