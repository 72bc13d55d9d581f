import type { RouteOptions } from 'fastify'
import type { Published } from '../../core/command/help/published.ts'
import { schemaOf } from './routes/commands.ts'
import { answer, problem } from './schemas.ts'

type Json = Readonly<Record<string, unknown>>

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'the same request under the same key is done once',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
}

const prefer = {
  name: 'Prefer',
  in: 'header',
  required: false,
  description:
    'wait=SECONDS: how long the answer is waited for, 120 at most; other preferences change nothing (RFC 7240)',
  schema: { type: 'string' },
}

const problemType = 'application/problem+json'

/** Parameters of a path or a query, from the schema that checks them. */
function parametersIn(where: 'path' | 'query', schema: unknown): Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as { properties?: Json; required?: readonly string[] }
  return Object.entries(properties).map(([name, each]) => {
    const { description, ...rest } = each as { description?: string }
    return {
      name,
      in: where,
      required: where === 'path' || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    }
  })
}

const statusNames: Readonly<Record<string, string>> = { '4xx': '4XX', '5xx': '5XX' }

function responsesOf(response: unknown): Json {
  const all = Object.entries((response ?? {}) as Readonly<Record<string, Json>>).map(([status, schema]) => {
    const isProblem = schema === (problem as unknown)
    const type = isProblem ? problemType : 'application/json'
    const content = schema['content'] ? schema : schema['type'] === 'null' ? {} : { content: { [type]: { schema } } }
    const description = /^[45]/.test(status) ? 'what is wrong, and what to do next' : 'done'
    return [statusNames[status] ?? status, { description, ...content }] as const
  })
  return all.length > 0 ? Object.fromEntries(all) : { default: { description: 'see docs/http.md' } }
}

const operationId = (method: string, path: string): string =>
  `${method.toLowerCase()}${path
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean)
    .map(word => (word[0] ?? '').toUpperCase() + word.slice(1))
    .join('')}`

/** `/v1/channels/:channel` as `/v1/channels/{channel}`. */
const pathOf = (url: string): string => url.replaceAll(/:([A-Za-z]+)/g, '{$1}')

function operationOf(method: string, { url, schema = {}, config }: RouteOptions): Json {
  const { summary = url, tags, params, querystring, body, response } = schema as Readonly<Record<string, unknown>>
  const changes = method === 'POST' && !config?.open
  const parameters = [
    ...parametersIn('path', params),
    ...parametersIn('query', querystring),
    ...(changes ? [idempotencyKey] : []),
  ]
  return {
    operationId: operationId(method, url),
    summary,
    ...(tags ? { tags } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: body } } } } : {}),
    responses: responsesOf(response),
    ...(config?.open ? { security: [] } : {}),
  }
}

function commandOf(command: Published): Json {
  const takes = command.fields.length > 0
  const content = { 'application/json': { schema: schemaOf(command) } }
  return {
    operationId: `command${operationId('', command.name)}`,
    summary: command.summary,
    description: `Needs ${command.role}. In chat: ${command.usage}`,
    tags: ['commands'],
    parameters: [idempotencyKey, prefer],
    ...(takes ? { requestBody: { required: command.fields.some(({ required }) => required), content } } : {}),
    responses: responsesOf({ 200: answer, 202: answer, '4xx': problem, '5xx': problem }),
  }
}

/** What there is, as an OpenAPI 3.1 document: made of the routes as they are registered and the commands as they are declared. */
export function describe(
  routes: readonly RouteOptions[],
  commands: readonly Published[],
  url: string,
  version: string,
): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const route of routes) {
    if (route.config?.hidden) continue
    for (const method of [route.method].flat()) {
      if (method === 'OPTIONS' || method === 'HEAD') continue
      const path = pathOf(route.url)
      paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(method, route) }
    }
  }
  for (const command of commands)
    paths[`/v1/commands/${command.name.replaceAll(' ', '.')}`] = { post: commandOf(command) }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Chanop',
      version,
      description: 'Made of the routes and the commands of this instance; docs/http.md has examples.',
    },
    servers: [{ url }],
    security: [{ key: [] }],
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'a key: `!key new`, in chat' } },
    },
    paths,
  }
}
