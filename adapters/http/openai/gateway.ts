import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { openCompletion } from '../../../core/ledger/oracle/completions.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { oracleModel, type PassedApi, type PassedOn } from '../../../core/passed-on.ts'
import type { Interior } from '../../../core/process/interior.ts'
import { requestId } from '../asks.ts'
import { idempotencyKeyOf } from '../command.ts'
import { type Holder, hasScope } from '../door/access.ts'
import type { House } from '../house.ts'
import { noteRequest } from '../notes.ts'
import { factKey } from '../place.ts'
import { Problem } from '../problem.ts'
import { mustBeHeard } from '../say.ts'
import type { Asking } from './answer.ts'
import { askerOf } from './ask.ts'

/** A model as programs are told of it. */
export interface Offered {
  readonly id: string
  readonly owner: string
}

/** What a key may ask: the bot itself, and each configured model that is on. */
export function offeredTo({ settings }: Interior, holder: Holder): Offered[] {
  const bot = hasScope(holder, 'say') ? [{ id: oracleModel, owner: 'chanop' }] : []
  if (!hasScope(holder, 'models')) return bot
  const models = Object.entries(settings().models).filter(([id, { on }]) => on && id !== oracleModel)
  return [...bot, ...models.map(([id, { provider }]) => ({ id, owner: provider }))]
}

/** Why a model that is not offered can not be asked. */
export function notOffered(house: House, request: FastifyRequest, holder: Holder, name: string): Problem {
  const { models } = house.interior.settings()
  const scope = name === oracleModel ? 'say' : 'models'
  const isThere = name === oracleModel || (Object.hasOwn(models, name) && models[name]?.on === true)
  if (isThere && !hasScope(holder, scope)) {
    house.refused(request, `the key has no scope ${scope}`)
    return new Problem(403, 'denied', `this key has no scope ${scope}, which ${name} needs`, { param: 'model' })
  }
  return new Problem(
    404,
    'not-found',
    `there is no model ${name.slice(0, 60)} for this key: GET /v1/models lists them`,
    {
      param: 'model',
      code: 'model_not_found',
    },
  )
}

/** Throws when a key may not ask a model for this. */
export function mustOffer(house: House, request: FastifyRequest, holder: Holder, name: string, api: PassedApi): void {
  if (!offeredTo(house.interior, holder).some(({ id }) => id === name)) throw notOffered(house, request, holder, name)
  const embeds = house.interior.settings().models[name]?.embeddings === true && name !== oracleModel
  if (embeds === (api === 'embeddings')) return
  const what = embeds ? 'makes embeddings and answers nothing' : 'makes no embeddings'
  throw new Problem(400, 'usage', `${name} ${what}`, { param: 'model' })
}

/** Passes a request on to a configured model. It is nowhere in the record; the same again under its Idempotency-Key is the same. */
export async function askModel(
  house: House,
  request: FastifyRequest,
  holder: Holder,
  name: string,
  asked: PassedOn,
): Promise<Asking> {
  const { network, interior } = house
  const { account } = holder
  mustBeHeard(house, request, holder)
  const id = requestId(idempotencyKeyOf(request))
  const body = JSON.stringify(asked)
  const hash = createHash('sha256').update(`${name}\n${body}`).digest('base64url').slice(0, 16)
  const key = `${factKey(network, account, id)}/${hash}`
  const completion = {
    key,
    ...askerOf(house, holder),
    model: name,
    body,
    turn: false,
  }
  noteRequest(house, request, { decision: 'allowed', result: `model ${name}` })
  const open = (tx: Tx): void => {
    openCompletion(tx, completion, Date.now())
    interior.ledger.first('oracle')
  }
  await interior.ledger.write(open, { durable: false })
  return { id, key, seq: null }
}
