import type { Routes } from '../house.ts'
import { Problem } from '../problem.ts'
import { problems } from '../schemas.ts'

const tags = ['health']
const wordAnswer = { type: 'object', required: ['status'], properties: { status: { type: 'string' } } } as const

/** Prometheus' own text format. */
const exposition = { content: { 'text/plain': { schema: { type: 'string' } } } } as const

/** For who watches over processes: alive; able to take something down; how everything is. */
export const healthRoutes: Routes = (app, { interior, metrics }) => {
  app.get(
    '/healthz',
    {
      config: { open: true },
      exposeHeadRoute: true,
      schema: { summary: 'The process runs', tags, response: { 200: wordAnswer, ...problems } },
    },
    async () => ({ status: 'ok' }),
  )
  app.get(
    '/readyz',
    {
      config: { open: true },
      exposeHeadRoute: true,
      schema: { summary: 'It can take something down', tags, response: { 200: wordAnswer, ...problems } },
    },
    async () => {
      try {
        await interior.ledger.write(() => undefined, { durable: false })
      } catch {
        throw new Problem(503, 'ledger-busy', 'the ledger takes nothing now: npm run doctor says why')
      }
      return { status: 'ready' }
    },
  )
  app.get(
    '/metrics',
    {
      config: { scope: 'read' },
      schema: { summary: 'Numbers for Prometheus', tags, response: { 200: exposition, ...problems } },
    },
    async (_request, reply) => {
      const { type, text } = await metrics.text()
      return reply.header('content-type', type).send(text)
    },
  )
}
