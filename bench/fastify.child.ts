/** A bare fastify with two routes of the forms that ours have, at a port that it prints. */
import Fastify from 'fastify'

const app = Fastify({ logger: false })
app.get('/v1/status', async () => ({ networks: [], name: 'bare' }))
app.post('/v1/channels/general/messages', async (_request, reply) => reply.code(201).send({ id: 1 }))
await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${(app.server.address() as { port: number }).port}\n`)
