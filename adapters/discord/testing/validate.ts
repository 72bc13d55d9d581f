import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

interface Operation {
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly schema?: object
  }[]
  readonly requestBody?: {
    readonly required?: boolean
    readonly content: Readonly<Record<string, { readonly schema: object }>>
  }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>>; readonly $ref?: string }>
  >
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const root = resolve(import.meta.dirname, '../../..')

/** Where the platforms' own descriptions are, when they are here. */
export function descriptionPath(): string | null {
  const folders = [
    process.env['CHANOP_SPECS'],
    join(root, '../specs'),
    join(root, '../shared/specs'),
    join(root, '../../shared/specs'),
  ]
  const found = folders.find(folder => folder !== undefined && existsSync(join(folder, 'discord.json')))
  return found === undefined ? null : join(found, 'discord.json')
}

export interface Exchange {
  readonly method: string
  /** Below the version: `/channels/1/messages`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: unknown
  readonly hasFiles: boolean
  readonly status: number
  readonly answer: unknown
}

/** Where the description of July 2026 differs from the documentation: forwards are references of type 1, errors of fields a list with words as codes. */
const lags = ['message_reference/type must be equal to constant', '_errors must be object']

/** Holds requests and answers against Discord's own description of its API. */
export class Description10 {
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: false })
  readonly #paths: readonly {
    readonly pattern: RegExp
    readonly template: string
    readonly operations: Readonly<Record<string, Operation>>
  }[]
  readonly #compiled = new Map<object, ValidateFunction>()

  constructor(path: string) {
    const text = readFileSync(path, 'utf8').replaceAll('"#/components/', '"discord#/components/')
    const description = JSON.parse(text) as Description
    this.#ajv.addSchema({ ...description, $id: 'discord' })
    const specific = (template: string): number => template.split('{').length
    this.#paths = Object.entries(description.paths)
      .toSorted(([a], [b]) => specific(a) - specific(b))
      .map(([template, operations]) => ({
        template,
        operations,
        pattern: new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`),
      }))
  }

  #fault(schema: object, value: unknown): string | null {
    let validate = this.#compiled.get(schema)
    if (!validate) this.#compiled.set(schema, (validate = this.#ajv.compile(schema)))
    return validate(value) ? null : this.#ajv.errorsText(validate.errors).slice(0, 400)
  }

  /** What is wrong with an exchange; empty when both sides are as described. */
  faults({ method, path, query, body, hasFiles, status, answer }: Exchange): string[] {
    const known = this.#paths.find(({ pattern, operations }) => pattern.test(path) && operations[method.toLowerCase()])
    const operation = known?.operations[method.toLowerCase()]
    if (!known || !operation) return [`${method} ${path} is not described`]
    const where = `${method} ${known.template}`
    const faults = [...this.#queryFaults(operation, query), ...this.#bodyFaults(operation, body, hasFiles)]
    // A refused request may be wrong on purpose; its answer may not.
    const asked = status < 400 ? faults : []
    return [
      ...asked.map(fault => `request ${where}: ${fault}`),
      ...this.#answerFaults(operation, status, answer).map(fault => `answer ${where}: ${fault}`),
    ]
  }

  #queryFaults({ parameters = [] }: Operation, query: URLSearchParams): string[] {
    const described = parameters.filter(parameter => parameter.in === 'query')
    return [...query].flatMap(([name, value]) => {
      const found = described.find(parameter => parameter.name === name)
      if (!found) return [`the query has ${name}, which is not described`]
      const readings = [
        value,
        /^-?\d+$/.test(value) ? Number(value) : null,
        value === 'true' ? true : value === 'false' ? false : null,
      ]
      const faults = readings
        .filter(reading => reading !== null)
        .map(reading => this.#fault(found.schema ?? {}, reading))
      return faults.includes(null) ? [] : [`query ${name}: ${faults[0]}`]
    })
  }

  #bodyFaults({ requestBody }: Operation, body: unknown, hasFiles: boolean): string[] {
    if (body === undefined) return requestBody?.required && !hasFiles ? ['has no body'] : []
    const schema = requestBody?.content['application/json']?.schema
    if (!schema) return ['has a body, and none is described']
    const fault = this.#fault(schema, body)
    return fault === null ? [...this.#strange(schema, body)] : [fault]
  }

  /** Keys that stand nowhere in the description: it leaves objects open, the platform leaves such keys out without a word. */
  *#strange(schema: object, body: unknown): Generator<string> {
    const keys = this.#keys(schema)
    if (keys === null || typeof body !== 'object' || body === null || Array.isArray(body)) return
    for (const key of Object.keys(body)) if (!keys.has(key)) yield `has ${key}, which is not described`
  }

  #keys(schema: object): Set<string> | null {
    const { $ref, properties, anyOf, oneOf, allOf } = schema as {
      $ref?: string
      properties?: object
      anyOf?: object[]
      oneOf?: object[]
      allOf?: object[]
    }
    if ($ref !== undefined) {
      const found = this.#ajv.getSchema($ref)?.schema
      return typeof found === 'object' ? this.#keys(found) : null
    }
    const parts = [...(anyOf ?? []), ...(oneOf ?? []), ...(allOf ?? [])].map(part => this.#keys(part))
    if (!properties && parts.length === 0) return null
    return new Set([...Object.keys(properties ?? {}), ...parts.flatMap(part => [...(part ?? [])])])
  }

  #answerFaults({ responses }: Operation, status: number, answer: unknown): string[] {
    const found = responses[String(status)] ?? responses[`${String(status)[0]}XX`]
    if (!found) return [`${status} is not described`]
    const content = found.$ref === undefined ? found.content : this.#answerRef(found.$ref)
    const schema = content?.['application/json']?.schema
    if (!schema) return answer === undefined ? [] : [`${status} has a body, and none is described`]
    const fault = this.#fault(schema, answer)
    return fault === null || lags.some(lag => fault.includes(lag)) ? [] : [`${status}: ${fault}`]
  }

  #answerRef(ref: string): Operation['responses'][string]['content'] {
    const found = this.#ajv.getSchema(ref)?.schema
    return (found as Operation['responses'][string] | undefined)?.content
  }
}
