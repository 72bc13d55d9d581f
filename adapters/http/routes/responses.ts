import { oracleModel } from '../../../core/passed-on.ts'
import { holderOf } from '../command.ts'
import { longBytes } from '../config.ts'
import type { Routes } from '../house.ts'
import { askOracle } from '../openai/ask.ts'
import { conversationIn } from '../openai/conversation.ts'
import { answersLikeOpenAi, errors } from '../openai/errors.ts'
import { askModel, mustOffer } from '../openai/gateway.ts'
import { answered, collected, streamed } from '../openai/reply.ts'
import { Responded } from '../openai/responses/form.ts'
import { chatBodyOf, type ResponsesBody } from '../openai/responses/request.ts'

const maybe = (schema: object): object => ({ anyOf: [schema, { type: 'null' }] })
const objects = { type: 'array', maxItems: 5000, items: { type: 'object', additionalProperties: true } } as const

const bodySchema = {
  type: 'object',
  required: ['model', 'input'],
  properties: {
    model: { type: 'string', minLength: 1, maxLength: 200 },
    input: {
      anyOf: [
        { type: 'string', minLength: 1 },
        { ...objects, minItems: 1 },
      ],
    },
    instructions: maybe({ type: 'string' }),
    tools: maybe(objects),
    text: maybe({
      type: 'object',
      properties: { format: { type: 'object', additionalProperties: true } },
      additionalProperties: true,
    }),
    reasoning: maybe({ type: 'object', additionalProperties: true }),
    max_output_tokens: maybe({ type: 'integer', minimum: 1, maximum: 10_000_000 }),
    stream: maybe({ type: 'boolean' }),
  },
  additionalProperties: true,
} as const

/** `POST /v1/responses`, for clients that speak that: what chat completions can, and nothing is kept. */
export const responseRoutes: Routes = (parent, house) => {
  void parent.register(async app => {
    answersLikeOpenAi(app, house)
    app.post<{ Body: ResponsesBody }>(
      '/v1/responses',
      {
        config: { scope: ['say', 'models'] },
        bodyLimit: longBytes(house.config),
        schema: {
          summary: 'Asks the oracle, or a configured model, as OpenAI’s Responses API; nothing is kept',
          tags: ['openai'],
          body: bodySchema,
          response: { 200: answerSchema, ...errors },
        },
      },
      async (request, reply) => {
        const { body } = request
        const holder = holderOf(request)
        mustOffer(house, request, holder, body.model, 'chat')
        const chat = chatBodyOf(body)
        const isStream = body.stream === true
        const asking =
          body.model === oracleModel
            ? await askOracle(house, request, holder, conversationIn(chat))
            : await askModel(house, request, holder, body.model, { api: 'chat', body: chat, streamed: isStream })
        const head = { id: `resp_${asking.id}`, created: Math.floor(Date.now() / 1000), model: body.model }
        const form = new Responded(head, body)
        return answered<object | void>(house, request, reply, asking, signal =>
          isStream ? streamed(house, reply, { asking, form, signal }) : collected(house, { asking, form, signal }),
        )
      },
    )
  })
}

const answerSchema = {
  type: 'object',
  required: ['id', 'object', 'status', 'model', 'output'],
  properties: {
    id: { type: 'string' },
    object: { type: 'string', enum: ['response'] },
    status: { type: 'string' },
    model: { type: 'string' },
    output: { type: 'array', items: { type: 'object', additionalProperties: true } },
  },
  additionalProperties: true,
} as const
