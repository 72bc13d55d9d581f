import type { FastifyInstance } from 'fastify'
import type { House } from '../house.ts'
import { asProblem, type Problem } from '../problem.ts'

/** An error as OpenAI's clients read it. */
export interface OpenAiError {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: string | null
  }
}

const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'invalid_request_error',
  409: 'conflict_error',
  413: 'invalid_request_error',
  415: 'invalid_request_error',
  422: 'invalid_request_error',
  429: 'rate_limit_error',
}

const codes: Readonly<Record<string, string>> = {
  unauthorized: 'invalid_api_key',
  'rate-limited': 'rate_limit_exceeded',
  // Clients try again after a rate limit, but not when there is no money.
  'budget-reached': 'insufficient_quota',
  'model-missing': 'model_not_available',
  'context-length': 'context_length_exceeded',
}

export const openAiError = ({ status, code, message, more }: Problem): OpenAiError => ({
  error: {
    message,
    type: code === 'budget-reached' ? 'insufficient_quota' : (types[status] ?? 'server_error'),
    param: typeof more['param'] === 'string' ? more['param'] : null,
    code: typeof more['code'] === 'string' ? more['code'] : (codes[code] ?? code),
  },
})

/** Routes whose errors have OpenAI's shape. */
export function answersLikeOpenAi(app: FastifyInstance, { log }: House): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = asProblem(error)
    if (problem.code === 'internal') log.error({ error, route: request.routeOptions.url }, 'a request failed')
    return reply.code(problem.status).headers(problem.headers).type('application/json').send(openAiError(problem))
  })
}

export const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['message', 'type', 'param', 'code'],
      properties: {
        message: { type: 'string' },
        type: { type: 'string' },
        param: { type: ['string', 'null'] },
        code: { type: ['string', 'null'] },
      },
    },
  },
} as const

export const errors = { '4xx': errorSchema, '5xx': errorSchema } as const
