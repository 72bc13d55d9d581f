import type { FastifyReply, FastifyRequest } from 'fastify'
import { conversationSchema, type Conversation } from '../../../core/conversation.ts'
import type { CompletionPart, Ending } from '../../../core/ledger/completions.ts'
import { gone, holderOf } from '../command.ts'
import type { House, Routes } from '../house.ts'
import { follow, giveUp, problemOf } from '../openai/answer.ts'
import { askOracle, type Asking } from '../openai/ask.ts'
import { delta, done, errorChunk, type Head, usageChunk, whole } from '../openai/chunks.ts'
import { answersLikeOpenAi, errors, openAiError } from '../openai/errors.ts'
import { Problem } from '../problem.ts'

/** The bot itself: its mind, its budget, the request's own messages as the conversation. */
export const oracleModel = 'oracle'
const bodyFactor = 20
/** A client sees that somebody works on it. */
const aliveMs = 10_000
const void_ = '\n\n(the model failed; from the beginning:)\n\n'

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
  // Clients send what they like; what the oracle has no use for is passed over.
  additionalProperties: true,
} as const

function conversationIn(body: Body): Conversation {
  const most = body.max_completion_tokens ?? body.max_tokens ?? undefined
  const parsed = conversationSchema.safeParse({
    messages: body.messages,
    ...(most === undefined ? {} : { maxOutputTokens: most }),
  })
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const at = issue?.path.join('.') ?? ''
  throw new Problem(400, 'usage', `${at}: ${issue?.message ?? 'this can not be read'}`, { param: at })
}

/** `POST /v1/chat/completions` and `GET /v1/models`, as OpenAI's clients know them. */
export const chatRoutes: Routes = (parent, house) => {
  void parent.register(async app => {
    answersLikeOpenAi(app, house)
    listing(app, house)
    completing(app, house)
  })
}

const listing: Routes = (app, { startedMs }) => {
  const model = (id: string) => ({ id, object: 'model', created: Math.floor(startedMs / 1000), owned_by: 'chanop' })
  const list = { summary: 'Models that this key may ask', tags: ['openai'] }
  app.get(
    '/v1/models',
    { config: { scope: 'any' }, schema: { ...list, response: { 200: modelsAnswer, ...errors } } },
    async () => ({
      object: 'list',
      data: [model(oracleModel)],
    }),
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
      if (request.params.model !== oracleModel) throw noModel(request.params.model)
      return model(oracleModel)
    },
  )
}

const noModel = (name: string): Problem =>
  new Problem(404, 'not-found', `there is no model ${name.slice(0, 60)} for this key: GET /v1/models lists them`, {
    param: 'model',
    code: 'model_not_found',
  })

const completing: Routes = (app, house) => {
  app.post<{ Body: Body }>(
    '/v1/chat/completions',
    {
      config: { scope: 'say' },
      bodyLimit: house.config.bodyBytes * bodyFactor,
      schema: {
        summary: 'Asks the oracle, with a conversation of its own, as OpenAI’s clients do',
        tags: ['openai'],
        body: bodySchema,
        response: { 200: completionAnswer, ...errors },
      },
    },
    async (request, reply) => {
      const { body } = request
      if (body.model !== oracleModel) throw noModel(body.model)
      const holder = holderOf(request)
      const asking = await askOracle(house, request, holder, conversationIn(body))
      const head = { id: `chatcmpl-${asking.id}`, created: Math.floor(Date.now() / 1000), model: body.model }
      const left = gone(reply)
      const signal = AbortSignal.any([left, house.closing])
      try {
        if (body.stream) return await streamed(house, request, reply, { asking, head, signal })
        return await collected(house, { asking, head, signal })
      } finally {
        if (left.aborted) await giveUp(house.interior, asking, holder)
      }
    },
  )
}

interface Work {
  readonly asking: Asking
  readonly head: Head
  readonly signal: AbortSignal
}

const closing = (): Problem =>
  new Problem(503, 'network-down', 'the server closes: ask again', { headers: { 'retry-after': '2' } })

/** The whole answer at once. */
async function collected(house: House, { asking, head, signal }: Work) {
  let content = ''
  for await (const { parts, ending } of follow(house, asking, signal)) {
    for (const part of parts) content = 'text' in part ? content + part.text : 'restart' in part ? '' : content
    if (!ending) continue
    const problem = problemOf(ending)
    if (problem) throw problem
    return whole(head, content, ending)
  }
  throw closing()
}

/** Piece by piece. Until the first one, what goes wrong is a status; after it, the last thing that is said. */
async function streamed(
  house: House,
  request: FastifyRequest<{ Body: Body }>,
  reply: FastifyReply,
  work: Work,
): Promise<void> {
  const { asking, head, signal } = work
  const { raw } = reply
  const begin = (): void => {
    if (raw.headersSent) return
    reply.hijack()
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    raw.write(delta(head, { role: 'assistant', content: '' }))
  }
  const alive = setInterval(() => {
    begin()
    raw.write(': waiting\n\n')
  }, aliveMs)
  try {
    for await (const { parts, ending } of follow(house, asking, signal)) {
      const problem = ending && problemOf(ending)
      if (problem && parts.length === 0 && !raw.headersSent) throw problem
      begin()
      for (const text of parts.map(wordsIn)) if (text !== '') raw.write(delta(head, { content: text }))
      if (!ending) continue
      if (problem) raw.write(errorChunk(openAiError(problem)))
      else raw.write(last(head, ending, request.body))
      raw.end(done)
      return
    }
    if (!raw.headersSent) throw closing()
    raw.write(errorChunk(openAiError(closing())))
    raw.end()
  } finally {
    clearInterval(alive)
  }
}

const wordsIn = (part: CompletionPart): string => ('text' in part ? part.text : 'restart' in part ? void_ : '')

const last = (head: Head, ending: Ending, { stream_options }: Body): string =>
  delta(head, {}, ending.finish) + (stream_options?.include_usage ? usageChunk(head, ending) : '')

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
