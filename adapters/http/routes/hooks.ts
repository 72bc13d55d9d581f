import { randomUUID } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { apiKeyHash } from '../../../core/access/api-keys.ts'
import { RateLimit } from '../../../core/command/state/rate.ts'
import { type HookIn, hookByHash, noteHookUse } from '../../../core/ledger/settings/hooks.ts'
import { say } from '../../../core/say.ts'
import type { HookFormat } from '../hooks/formats.ts'
import { type Posted, rendered } from '../hooks/render.ts'
import { isSigned } from '../hooks/verify.ts'
import type { House, Routes } from '../house.ts'
import { Problem } from '../problem.ts'

/** What one address may bring about: a room is for people. */
const rate = { perMinute: 60, burst: 30 }
const usedEveryMs = 60_000

/**
 * Names under which senders number what they send: the same again is the same message. The one that is signed comes first: a
 * message that somebody caught is not told anew under another. GitLab says the same UUID of all that one event brings about.
 */
const ids = ['webhook-id', 'x-github-delivery', 'idempotency-key', 'x-gitlab-event-uuid']

interface Asked {
  readonly word: string
}

const postedOf = ({ headers, body }: FastifyRequest): Posted => ({
  body: Buffer.isBuffer(body) ? body.toString('utf8') : '',
  header: name => {
    const value = headers[name]
    return typeof value === 'string' ? value : ''
  },
})

function contentOf(hook: HookIn, posted: Posted) {
  try {
    return rendered(hook.format as HookFormat, posted)
  } catch (error) {
    // Of zod or of JSON: what they sent is not what the hook was made for.
    const why = error instanceof SyntaxError ? error.message : 'something in it has another form'
    throw new Problem(400, 'bad-request', `this is no message of the format ${hook.format}: ${why}`)
  }
}

/** Addresses at which other programs tell rooms something: `hook new`. */
export const hookRoutes: Routes = (app, house) => {
  const rates = new RateLimit()
  void app.register(async scope => {
    // A signature is of the bytes that came.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scope.post<{ Params: Asked }>(
      '/hooks/:word',
      // Who knows an address is held to what it may bring about, before a body is read: many such programs may be on one machine.
      {
        config: { open: ({ params }) => hookAt(house, params as Asked) === null, hidden: true },
        onRequest: async (request, reply) => {
          const { name } = theHook(house, request.params)
          if (rates.ask(name, rate, Date.now()) === 'go') return
          void reply.header('retry-after', `${rates.waitSeconds(name, rate)}`)
          throw new Problem(429, 'rate-limited', 'too many messages for one room')
        },
      },
      async (request, reply) => {
        const hook = theHook(house, request.params)
        const posted = postedOf(request)
        if (
          hook.secret !== null &&
          !isSigned(hook.format as HookFormat, posted, house.interior.vault.open(`hook:${hook.name}`, hook.secret))
        )
          throw new Problem(401, 'unauthorized', 'the signature does not fit the secret of this hook')
        await tell(house, hook, posted)
        if (hook.format === 'slack') return reply.type('text/plain').send('ok')
        return { ok: true }
      },
    )
  })
}

function hookAt({ interior, network }: House, { word }: Asked): HookIn | null {
  const hook = interior.ledger.readNow(tx => hookByHash(tx, apiKeyHash(word)))
  return hook?.network === network ? hook : null
}

function theHook(house: House, asked: Asked): HookIn {
  const hook = hookAt(house, asked)
  if (hook) return hook
  const { prefix } = house.interior.settings().commands
  throw new Problem(
    404,
    'not-found',
    `there is no hook of this address: ${prefix}hook list shows what there is, in chat`,
  )
}

/** On the disk, for all places of its room, when this resolves. */
async function tell({ interior, network }: House, hook: HookIn, posted: Posted): Promise<void> {
  const content = contentOf(hook, posted)
  const room = interior.rooms.meant(hook.room)
  if (!room || room.places.length === 0)
    throw new Problem(410, 'gone', 'the room of this hook is gone: make another hook, in chat')
  const given = ids.map(posted.header).find(id => id !== '' && id.length <= 200)
  const nowMs = Date.now()
  await interior.ledger.write(tx => {
    if (hook.usedMs === null || nowMs - hook.usedMs > usedEveryMs) noteHookUse(tx, hook.name, nowMs)
    if (!content) return
    const key = `hook:${network}:${hook.name}:${given ?? randomUUID()}`
    say(tx, { bot: 'bridge', face: { name: hook.name, relayed: true }, content, in: room, key }, nowMs)
  })
}
