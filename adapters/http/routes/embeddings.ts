import { holderOf } from '../command.ts'
import { longBytes } from '../config.ts'
import type { Routes } from '../house.ts'
import { answersLikeOpenAi, errors } from '../openai/errors.ts'
import { Passthrough } from '../openai/form.ts'
import { askModel, mustOffer } from '../openai/gateway.ts'
import { answered, read } from '../openai/reply.ts'

interface Body {
  readonly model: string
  readonly input: unknown
}

const numbers = { type: 'array', minItems: 1, maxItems: 100_000, items: { type: 'integer', minimum: 0 } } as const
const text = { type: 'string', minLength: 1 } as const

const bodySchema = {
  type: 'object',
  required: ['model', 'input'],
  properties: {
    model: { type: 'string', minLength: 1, maxLength: 200 },
    input: {
      anyOf: [text, numbers, { type: 'array', minItems: 1, maxItems: 2048, items: { anyOf: [text, numbers] } }],
    },
    encoding_format: { type: 'string', enum: ['float', 'base64'] },
    dimensions: { type: 'integer', minimum: 1, maximum: 100_000 },
    user: { type: 'string', maxLength: 1000 },
  },
  additionalProperties: true,
} as const

/** `POST /v1/embeddings`, of models that are configured for it. */
export const embeddingRoutes: Routes = (parent, house) => {
  void parent.register(async app => {
    answersLikeOpenAi(app, house)
    const schema = { summary: 'Embeddings of texts', tags: ['openai'], body: bodySchema }
    app.post<{ Body: Body }>(
      '/v1/embeddings',
      {
        config: { scope: 'models' },
        bodyLimit: longBytes(house.config),
        schema: { ...schema, response: { 200: answerSchema, ...errors } },
      },
      async (request, reply) => {
        const { body } = request
        const holder = holderOf(request)
        mustOffer(house, request, holder, body.model, 'embeddings')
        const passed = { api: 'embeddings' as const, body: { ...body }, streamed: false }
        const asking = await askModel(house, request, holder, body.model, passed)
        const form = new Passthrough({ id: asking.id, created: Math.floor(Date.now() / 1000), model: body.model })
        return answered(house, request, reply, asking, signal =>
          read(house, { asking, form, signal }, ending => form.embeddings(ending)),
        )
      },
    )
  })
}

const answerSchema = {
  type: 'object',
  required: ['object', 'data', 'model', 'usage'],
  properties: {
    object: { type: 'string', enum: ['list'] },
    data: { type: 'array', items: { type: 'object', additionalProperties: true } },
    model: { type: 'string' },
    usage: { type: 'object', additionalProperties: true },
  },
} as const
