import { readFileSync } from 'node:fs'
import { Ajv, type ValidateFunction } from 'ajv'
import type { Exchange } from './server.ts'
import type { Fields } from './world.ts'

interface Field {
  readonly name: string
  readonly types: readonly string[]
  readonly required: boolean
}

interface Described {
  readonly fields?: readonly Field[]
  readonly subtypes?: readonly string[]
  readonly returns?: readonly string[]
}

interface Description {
  readonly methods: Readonly<Record<string, Described>>
  readonly types: Readonly<Record<string, Described>>
}

const plain: Readonly<Record<string, object>> = {
  Integer: { type: 'integer' },
  Float: { type: 'number' },
  String: { type: 'string' },
  Boolean: { type: 'boolean' },
  True: { const: true },
  // A file is a part of the form; what stands for it is a name.
  InputFile: { type: 'string' },
}

const typeSchema = (type: string): object => {
  const [, inner] = /^Array of (.+)$/.exec(type) ?? []
  if (inner !== undefined) return { type: 'array', items: typeSchema(inner) }
  return plain[type] ?? { $ref: `#/definitions/${type}` }
}

const anyOf = (types: readonly string[]): object => ({ anyOf: types.map(typeSchema) })

function objectSchema({ fields = [], subtypes }: Described): object {
  if (subtypes && subtypes.length > 0) return anyOf(subtypes)
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map(({ name, types }) => [name, anyOf(types)])),
    required: fields.filter(({ required }) => required).map(({ name }) => name),
    additionalProperties: false,
  }
}

/** The Bot API's machine-readable description: whether requests and answers are as it says. */
export class BotApi {
  readonly #description: Description
  readonly #ajv = new Ajv({ strict: false, allErrors: false, inlineRefs: false, code: { optimize: false } })
  readonly #compiled = new Map<string, ValidateFunction>()

  constructor(path: string) {
    this.#description = JSON.parse(readFileSync(path, 'utf8')) as Description
    const definitions = Object.fromEntries(
      Object.entries(this.#description.types).map(([name, described]) => [name, objectSchema(described)]),
    )
    this.#ajv.addSchema({ $id: 'api', definitions })
  }

  /** What is wrong with an exchange; null when it is as described. */
  fault({ method, params, answer }: Exchange): string | null {
    const described = this.#description.methods[method]
    if (!described) return `${method}: there is no such method`
    const { method: _library, ...given } = params
    const files = Object.fromEntries((described.fields ?? []).filter(isFile).map(({ name }) => [name, 'attached']))
    const asked = { ...(method.startsWith('send') ? files : {}), ...given }
    const needless = Object.keys(files).filter(name => !(name in given) && !isRequired(described, name))
    for (const name of needless) delete asked[name]
    const request = this.#check(`request ${method}`, objectSchema(described), asked)
    if (request !== null) return request
    if (answer['ok'] !== true) return this.#check('refusal', refusal, answer)
    return this.#check(`answer ${method}`, anyOf(described.returns ?? []), answer['result'])
  }

  #check(name: string, schema: object, value: unknown): string | null {
    const validate = this.#compiled.get(name) ?? this.#compile(name, schema)
    if (validate(value)) return null
    return `${name}: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(value).slice(0, 500)}`
  }

  #compile(name: string, schema: object): ValidateFunction {
    const text = JSON.stringify(schema).replaceAll('"#/definitions/', '"api#/definitions/')
    const validate = this.#ajv.compile(JSON.parse(text) as object)
    this.#compiled.set(name, validate)
    return validate
  }
}

const isFile = ({ types }: Field): boolean => types.includes('InputFile')
const isRequired = ({ fields = [] }: Described, name: string): boolean =>
  fields.some(field => field.name === name && field.required)

const refusal: Fields = {
  type: 'object',
  properties: {
    ok: { const: false },
    error_code: { type: 'integer' },
    description: { type: 'string' },
    parameters: { $ref: '#/definitions/ResponseParameters' },
  },
  required: ['ok', 'error_code', 'description'],
  additionalProperties: false,
}
