/** Schemas that several routes answer by. */

export const problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
  },
  additionalProperties: true,
} as const

/** Whatever may be refused on a route that needs a key. */
export const problems = { '4xx': problem, '5xx': problem } as const

/** Of a command. */
export const answer = {
  type: 'object',
  required: ['id', 'done', 'lines'],
  properties: {
    id: { type: 'string' },
    done: { type: 'boolean', description: 'false: it is still under way; its id is had at /v1/requests/ID' },
    lines: { type: 'array', items: { type: 'string' } },
    data: {},
    secrets: { type: 'array', items: { type: 'string' } },
  },
} as const
