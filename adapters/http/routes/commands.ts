import type { FastifyRequest } from 'fastify'
import type { Published } from '../../../core/command/help/published.ts'
import { unknownKey } from '../../../core/command/parse/args.ts'
import { isSecret } from '../../../core/command/parse/fields.ts'
import { type JsonSchema, jsonSchemaOf } from '../../../core/command/parse/json-schema.ts'
import { deadline } from '../../../core/retry.ts'
import { type Args, ask, catalogueOf, gone, holderOf, respond, waitMsOf } from '../command.ts'
import type { Routes } from '../house.ts'
import { Problem } from '../problem.ts'
import { answer, problems } from '../schemas.ts'

const known = new WeakMap<Published, JsonSchema>()

/** The schema of a command's arguments: the same object each time, so that it is compiled once. */
export function schemaOf(command: Published): JsonSchema {
  const schema = known.get(command) ?? jsonSchemaOf(command.fields)
  known.set(command, schema)
  return schema
}

type Misfit = NonNullable<ReturnType<FastifyRequest['compileValidationSchema']>['errors']>[number]

/** Which argument does not fit and why. What was given for it is not shown: it may be a secret. */
function misfit({ fields }: Published, found: Misfit | undefined): string {
  const { keyword, instancePath = '', params, message } = found ?? {}
  const name = instancePath.slice(1) || 'what is given'
  if (keyword === 'required') return `${params?.['missingProperty']} is missing`
  if (keyword === 'additionalProperties')
    return unknownKey(String(params?.['additionalProperty']), fields.some(isSecret))
  if (keyword === 'enum') return `${name} is ${[params?.['allowedValues']].flat().join(', ')}`
  return `${name} ${message ?? 'does not fit'}`
}

const id = { type: 'string', pattern: '^[A-Za-z0-9_-]{10,64}$' } as const

const listed = {
  type: 'object',
  required: ['commands'],
  properties: {
    commands: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'summary', 'role', 'changes', 'args'],
        properties: {
          name: { type: 'string' },
          summary: { type: 'string' },
          role: { type: 'string' },
          changes: { type: 'boolean' },
          args: { type: 'object', additionalProperties: true },
        },
      },
    },
  },
} as const

/** `POST /v1/commands/<name>`: every command there is, its arguments as JSON, its lines and `data` as the answer. */
export const commandRoutes: Routes = (app, house) => {
  const list = { summary: 'All commands, with the schemas of their arguments', tags: ['commands'] }
  app.get(
    '/v1/commands',
    { config: { scope: 'command' }, schema: { ...list, response: { 200: listed, ...problems } } },
    async () => ({
      commands: catalogueOf(house).all.map(command => ({
        name: command.name,
        summary: command.summary,
        role: command.role,
        changes: command.mutates,
        args: schemaOf(command),
      })),
    }),
  )

  app.post<{ Params: { name: string }; Body: unknown }>(
    '/v1/commands/:name',
    // Its place in the description is taken by one path for each command.
    { config: { scope: 'command', hidden: true } },
    async (request, reply) => {
      const name = request.params.name.replaceAll('.', ' ').trim().toLowerCase()
      const command = catalogueOf(house).named(name)
      if (!command) throw new Problem(404, 'not-found', 'there is no command of that name: GET /v1/commands lists them')
      const args = (request.body === undefined ? {} : request.body) as Args
      const fits = request.compileValidationSchema(schemaOf(command))
      if (!fits(args)) throw new Problem(400, 'usage', `${misfit(command, fits.errors?.[0])} · usage: ${command.usage}`)
      return ask(house, request, reply, command.name, args)
    },
  )

  const later = { summary: 'What became of an earlier request of this key', tags: ['commands'] }
  app.get<{ Params: { id: string } }>(
    '/v1/requests/:id',
    {
      config: { scope: 'any' },
      schema: {
        ...later,
        params: { type: 'object', properties: { id }, required: ['id'] },
        response: { 200: answer, 202: answer, ...problems },
      },
    },
    async (request, reply) => {
      const holder = holderOf(request)
      if (!house.asks.look(holder, request.params.id))
        throw new Problem(404, 'not-found', 'this key sent no request of that id')
      const signal = AbortSignal.any([
        deadline(waitMsOf(request.headers.prefer, 0), house.closing),
        gone(house, request, reply),
      ])
      return respond(house, reply, request.params.id, await house.asks.wait(holder, request.params.id, signal))
    },
  )
}
