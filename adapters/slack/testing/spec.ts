import { readFileSync } from 'node:fs'
import { Ajv, type ValidateFunction } from 'ajv'
import type { Call } from './server.ts'
import type { Json } from './workspace.ts'

interface Parameter {
  readonly name: string
  readonly type: string
  readonly required?: boolean
}

interface Operation {
  readonly parameters: readonly Parameter[]
  readonly responses: Readonly<Record<string, { readonly schema?: object }>>
}

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>

/** What the description of 2021 does not have yet, by the methods' own pages. `null`: the whole method is newer. */
const newer: Readonly<Record<string, readonly string[] | null>> = {
  'apps.connections.open': null,
  'files.getUploadURLExternal': null,
  'files.completeUploadExternal': null,
  'chat.postMessage': ['metadata', 'client_msg_id'],
  'chat.update': ['metadata'],
  'conversations.history': ['include_all_metadata'],
  'conversations.replies': ['include_all_metadata'],
}

const shapes: Readonly<Record<string, RegExp>> = {
  boolean: /^(true|false)$/,
  integer: /^\d+$/,
  number: /^\d+(\.\d+)?$/,
  string: /^/,
}

const isObject = (schema: unknown): boolean =>
  typeof schema === 'object' && schema !== null && 'type' in schema && schema.type === 'object'

/** The description lists the properties of its day: newer ones are none against it. */
function open(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(open)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
    .filter(([name, inner]) => !(name === 'additionalProperties' && inner === false))
    // One pattern says that ids have nine letters at least and lists letters of its day.
    .filter(([name]) => name !== 'pattern' && name !== 'format' && !name.startsWith('x-'))
    // It has never seen an empty channel, and calls the list of blocks an object in one place.
    .filter(([name, inner]) => name !== 'minItems' && !(name === 'blocks' && isObject(inner)))
  return Object.fromEntries(entries.map(([name, inner]) => [name, open(inner)]))
}

/** Slack's machine-readable description: whether requests and answers are as it says. */
export class SlackApi {
  readonly #paths: Paths
  readonly #ajv = new Ajv({ strict: false, allErrors: false, inlineRefs: false, code: { optimize: false } })
  readonly #compiled = new Map<string, ValidateFunction | null>()

  constructor(path: string) {
    const description = open(JSON.parse(readFileSync(path, 'utf8'))) as { paths: Paths; definitions: object }
    this.#paths = description.paths
    this.#ajv.addSchema({ $id: 'slack', definitions: description.definitions })
  }

  #operation(method: string): Operation | undefined {
    return Object.values(this.#paths[`/${method}`] ?? {})[0]
  }

  /** What is wrong with a call and its answer, one line each. */
  check({ method, args, body, status }: Call): string[] {
    if (newer[method] === null) return []
    const operation = this.#operation(method)
    if (!operation) return [`${method}: there is no such method`]
    const wrong = this.#request(method, operation, args)
    return status === 200 ? [...wrong, ...this.#answer(method, operation, body)] : wrong
  }

  #request(method: string, { parameters }: Operation, args: Json): string[] {
    const known = new Map(parameters.map(parameter => [parameter.name, parameter]))
    const wrong = parameters
      .filter(({ name, required }) => required === true && name !== 'token' && args[name] === undefined)
      .map(({ name }) => `${method}: ${name} is missing`)
    for (const [name, value] of Object.entries(args)) {
      const parameter = known.get(name)
      if (!parameter && !newer[method]?.includes(name)) wrong.push(`${method}: there is no ${name}`)
      if (parameter && !shapes[parameter.type]?.test(String(value as string))) {
        wrong.push(`${method}: ${name} is no ${parameter.type}: ${JSON.stringify(value)}`)
      }
    }
    return wrong
  }

  #answer(method: string, { responses }: Operation, body: Json): string[] {
    const which = body['ok'] === true ? '200' : 'default'
    const key = `${method} ${which}`
    let validate = this.#compiled.get(key)
    if (validate === undefined) {
      const { schema } = responses[which] ?? {}
      const local = schema && JSON.parse(JSON.stringify(schema).replaceAll('"#/definitions/', '"slack#/definitions/'))
      validate = local ? this.#ajv.compile(local as object) : null
      this.#compiled.set(key, validate)
    }
    if (!validate || validate(body)) return []
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${method} answers ${which}: ${instancePath} ${message ?? ''}`,
    )
  }
}

/** Whether an event is wrapped as the description of the Events API says. */
export function wrapping(path: string): ValidateFunction {
  const { components } = JSON.parse(readFileSync(path, 'utf8')) as { components: { schemas: Record<string, object> } }
  const ajv = new Ajv({ strict: false })
  const { required, ...schema } = components.schemas['GenericEventWrapper'] as { required: string[] }
  // `authorizations` has taken its place.
  return ajv.compile({ ...schema, required: required.filter(name => name !== 'authed_users') })
}
