import type { FastifyInstance } from 'fastify'
import { Problem } from '../problem.ts'

const headers = 'authorization, content-type, idempotency-key, prefer, last-event-id'
const exposed = 'location, retry-after'

/** Lets pages of the origins that are named, and of no other, use the API from a browser. */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers
    if (origins.length > 0) reply.header('vary', 'origin')
    if (origin === undefined || !origins.includes(origin)) return
    reply.header('access-control-allow-origin', origin)
    reply.header('access-control-expose-headers', exposed)
  })
  app.options('/*', { config: { open: true, hidden: true } }, async (request, reply) => {
    const { origin } = request.headers
    if (origin === undefined || !origins.includes(origin))
      throw new Problem(
        403,
        'denied',
        'pages of this origin may not use this: networks.NAME.origins names those that may',
      )
    return reply
      .code(204)
      .headers({
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': headers,
        'access-control-max-age': '600',
      })
      .send()
  })
}
