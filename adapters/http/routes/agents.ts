import type { FastifyRequest } from 'fastify'
import { type Answered, type Args, ask } from '../command.ts'
import type { Routes } from '../house.ts'
import { Problem } from '../problem.ts'
import { answer, problems } from '../schemas.ts'

const tags = ['agents']
const nick = { type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9_-]{0,31}$' } as const
const params = { type: 'object', required: ['nick'], properties: { nick } } as const
const words = { type: 'array', maxItems: 100, items: { type: 'string', pattern: '^[^\\s,]{1,64}$' } } as const

const registerBody = {
  type: 'object',
  required: ['nick'],
  properties: {
    nick,
    type: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,19}$' },
    channels: words,
    permissions: words,
    skills: words,
    for: { type: 'string', maxLength: 20, description: 'until its engagement ends: 30d' },
  },
  additionalProperties: false,
} as const

const credentials = {
  type: 'object',
  required: ['nick', 'passphrase'],
  properties: { nick: { type: 'string' }, passphrase: { type: 'string' }, server: { type: 'string' } },
} as const

const credentialsAnswer = {
  type: 'object',
  required: ['credentials', 'lines'],
  properties: { credentials, engagement: { type: 'string' }, lines: answer.properties.lines },
} as const

interface Register {
  readonly nick: string
  readonly type?: string
  readonly channels?: readonly string[]
  readonly permissions?: readonly string[]
  readonly skills?: readonly string[]
  readonly for?: string
}

const argsOf = ({ nick: name, type, for: time, ...lists }: Register): Args => ({
  nick: name,
  ...(type === undefined ? {} : { type }),
  ...(time === undefined ? {} : { for: time }),
  ...Object.fromEntries(Object.entries(lists).map(([key, list]) => [key, list.join(',')])),
})

/** The login that a command handed over. */
function login(name: string, { done, secrets = [], lines }: Answered) {
  const said = secrets.join('\n')
  const part = (key: string): string | undefined => new RegExp(`(?:^|\\s)${key}=(\\S+)`).exec(said)?.[1]
  const passphrase = part('password')
  if (!done || passphrase === undefined)
    throw new Problem(
      504,
      'network-down',
      `the login of ${name} is not there yet: ask again with the same Idempotency-Key`,
    )
  const server = part('server')
  const engagement = part('engagement')
  return {
    credentials: { nick: name, passphrase, ...(server === undefined ? {} : { server }) },
    ...(engagement === undefined ? {} : { engagement }),
    lines,
  }
}

const config = { scope: 'agents' } as const
const of = (request: FastifyRequest): string => (request.params as { nick: string }).nick.toLowerCase()

/** Agents in the shapes of ScuttleBot: each is a command, so that the same roles and the same audit hold. */
export const agentRoutes: Routes = (app, house) => {
  listing(app, house)
  registering(app, house)
  rotating(app, house)
  revoking(app, house)
}

const listing: Routes = (app, house) => {
  app.get(
    '/v1/agents',
    {
      config,
      schema: { summary: 'Registered agents', tags, response: { 200: agentsAnswer, 202: answer, ...problems } },
    },
    async (request, reply) => {
      const said = await ask(house, request, reply, 'agent list', {})
      return said.done ? { agents: said.data ?? [] } : said
    },
  )
}

const registering: Routes = (app, house) => {
  app.post<{ Body: Register }>(
    '/v1/agents/register',
    {
      config,
      schema: {
        summary: 'Makes an account and an engagement for a program',
        tags,
        body: registerBody,
        response: { 201: credentialsAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const said = login(
        request.body.nick.toLowerCase(),
        await ask(house, request, reply, 'register', argsOf(request.body)),
      )
      reply.code(201)
      return said
    },
  )
}

const rotating: Routes = (app, house) => {
  app.post(
    '/v1/agents/:nick/rotate',
    {
      config,
      schema: {
        summary: 'Gives an agent a new password',
        tags,
        params,
        response: { 200: credentialsAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const said = login(of(request), await ask(house, request, reply, 'rotate', { selector: of(request) }))
      reply.code(200)
      return said
    },
  )
}

const revoking: Routes = (app, house) => {
  app.post(
    '/v1/agents/:nick/revoke',
    {
      config,
      schema: {
        summary: 'Suspends an agent and disconnects it at once',
        tags,
        params,
        response: { 200: answer, 202: answer, ...problems },
      },
    },
    async (request, reply) => ask(house, request, reply, 'revoke', { selector: of(request) }),
  )
}

const agentsAnswer = {
  type: 'object',
  required: ['agents'],
  properties: { agents: { type: 'array', items: { type: 'object', additionalProperties: true } } },
} as const
