import type { FastifyRequest } from 'fastify'
import { oracleModel } from '../../../core/passed-on.ts'
import { holderOf } from '../command.ts'
import { longBytes } from '../config.ts'
import type { Holder } from '../door/access.ts'
import type { House, Routes } from '../house.ts'
import type { Asking } from '../openai/answer.ts'
import { askOracle } from '../openai/ask.ts'
import { conversationIn } from '../openai/conversation.ts'
import { answersLikeOpenAi, errors } from '../openai/errors.ts'
import { Passthrough, Spoken } from '../openai/form.ts'
import { askModel, mustOffer } from '../openai/gateway.ts'
import { answered, collected, streamed } from '../openai/reply.ts'

interface Body {
  readonly model: string
  readonly messages: readonly unknown[]
  readonly stream?: boolean | null
  readonly stream_options?: { readonly include_usage?: boolean } | null
  readonly max_tokens?: number | null
  readonly max_completion_tokens?: number | null
  readonly n?: number | null
}

const bodySchema = {
  type: 'object',
  required: ['model', 'messages'],
  properties: {
    model: { type: 'string', minLength: 1, maxLength: 200 },
    messages: {
      type: 'array',
      minItems: 1,
      maxItems: 5000,
      items: {
        type: 'object',
        required: ['role'],
        properties: {
          role: { type: 'string', enum: ['system', 'developer', 'user', 'assistant', 'tool', 'function'] },
          content: {
            anyOf: [
              { type: 'string' },
              { type: 'null' },
              {
                type: 'array',
                items: {
                  type: 'object',
                  required: ['type'],
                  properties: { type: { type: 'string' }, text: { type: 'string' } },
                  additionalProperties: true,
                },
              },
            ],
          },
        },
        additionalProperties: true,
      },
    },
    stream: { anyOf: [{ type: 'boolean' }, { type: 'null' }] },
    stream_options: {
      anyOf: [
        { type: 'object', properties: { include_usage: { type: 'boolean' } }, additionalProperties: true },
        { type: 'null' },
      ],
    },
    max_tokens: { anyOf: [{ type: 'integer', minimum: 1, maximum: 10_000_000 }, { type: 'null' }] },
    max_completion_tokens: { anyOf: [{ type: 'integer', minimum: 1, maximum: 10_000_000 }, { type: 'null' }] },
    n: { anyOf: [{ type: 'integer', minimum: 1, maximum: 1 }, { type: 'null' }] },
  },
  // Clients send what they like: the oracle passes over what it has no use for, other models get it.
  additionalProperties: true,
} as const

/** `POST /v1/chat/completions`, as OpenAI's clients know it. */
export const chatRoutes: Routes = (parent, house) => {
  void parent.register(async app => {
    answersLikeOpenAi(app, house)
    completing(app, house)
  })
}

/** The oracle answers with what the conversation holds; any other model is passed all of the request. */
async function asked(house: House, request: FastifyRequest<{ Body: Body }>, holder: Holder): Promise<Asking> {
  const { body } = request
  mustOffer(house, request, holder, body.model, 'chat')
  if (body.model === oracleModel) return askOracle(house, request, holder, conversationIn(body))
  const passed = { api: 'chat' as const, body: { ...body }, streamed: body.stream === true }
  return askModel(house, request, holder, body.model, passed)
}

const completing: Routes = (app, house) => {
  app.post<{ Body: Body }>(
    '/v1/chat/completions',
    {
      // Which one depends on the model.
      config: { scope: ['say', 'models'] },
      bodyLimit: longBytes(house.config),
      schema: {
        summary: 'Asks the oracle, or a configured model, as OpenAI’s clients do',
        tags: ['openai'],
        body: bodySchema,
        response: { 200: completionAnswer, ...errors },
      },
    },
    async (request, reply) => {
      const { body } = request
      const holder = holderOf(request)
      const asking = await asked(house, request, holder)
      const head = { id: `chatcmpl-${asking.id}`, created: Math.floor(Date.now() / 1000), model: body.model }
      const withUsage = body.stream_options?.include_usage === true
      const form = body.model === oracleModel ? new Spoken(head, withUsage) : new Passthrough(head, withUsage)
      return answered<object | void>(house, request, reply, asking, signal =>
        body.stream ? streamed(house, reply, { asking, form, signal }) : collected(house, { asking, form, signal }),
      )
    },
  )
}

const completionAnswer = {
  type: 'object',
  required: ['id', 'object', 'created', 'model', 'choices', 'usage'],
  properties: {
    id: { type: 'string' },
    object: { type: 'string', enum: ['chat.completion'] },
    created: { type: 'integer' },
    model: { type: 'string' },
    choices: { type: 'array', items: { type: 'object', additionalProperties: true } },
    usage: { type: 'object', additionalProperties: true },
  },
} as const
