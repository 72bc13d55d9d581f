import { holderOf } from '../command.ts'
import type { Routes } from '../house.ts'
import { answersLikeOpenAi, errors } from '../openai/errors.ts'
import { notOffered, type Offered, offeredTo } from '../openai/gateway.ts'

/** `GET /v1/models`, as OpenAI's clients know it. */
export const modelRoutes: Routes = (parent, house) => {
  void parent.register(async app => {
    answersLikeOpenAi(app, house)
    listing(app, house)
  })
}

const listing: Routes = (app, house) => {
  const created = Math.floor(house.startedMs / 1000)
  const model = ({ id, owner }: Offered) => ({ id, object: 'model', created, owned_by: owner })
  const list = { summary: 'Models that this key may ask', tags: ['openai'] }
  app.get(
    '/v1/models',
    { config: { scope: 'any' }, schema: { ...list, response: { 200: modelsAnswer, ...errors } } },
    async request => ({ object: 'list', data: offeredTo(house.interior, holderOf(request)).map(model) }),
  )
  const params = {
    type: 'object',
    required: ['model'],
    properties: { model: { type: 'string', maxLength: 200 } },
  } as const
  app.get<{ Params: { model: string } }>(
    '/v1/models/:model',
    {
      config: { scope: 'any' },
      schema: { summary: 'One model', tags: ['openai'], params, response: { 200: modelAnswer, ...errors } },
    },
    async request => {
      const holder = holderOf(request)
      const found = offeredTo(house.interior, holder).find(({ id }) => id === request.params.model)
      if (!found) throw notOffered(house, request, holder, request.params.model)
      return model(found)
    },
  )
}

const modelAnswer = {
  type: 'object',
  required: ['id', 'object', 'created', 'owned_by'],
  properties: {
    id: { type: 'string' },
    object: { type: 'string', enum: ['model'] },
    created: { type: 'integer' },
    owned_by: { type: 'string' },
  },
} as const

const modelsAnswer = {
  type: 'object',
  required: ['object', 'data'],
  properties: { object: { type: 'string', enum: ['list'] }, data: { type: 'array', items: modelAnswer } },
} as const
