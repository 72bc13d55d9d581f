import { given } from '../../given.ts'
import type { Field, FieldType } from './fields.ts'

/** As much of JSON Schema (draft 2020-12) as arguments need: what MCP and HTTP publish of a command. */
export interface JsonSchema {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly required: readonly string[]
  readonly additionalProperties: false
}

const forms: Readonly<Partial<Record<FieldType, string>>> = {
  duration: '90s, 15m, 2h, 3d or 1d12h',
  place: 'network:channel, or a channel of the network where it is asked',
  room: 'the name of a room',
  person: 'a name, or network:account',
  selector: 'agents: a name, a,b, @all, @here, @type, @group or @prefix*; -x leaves out x',
}

function one(field: Field): Record<string, unknown> {
  if (field.type === 'integer') return { type: 'integer', ...given({ minimum: field.min, maximum: field.max }) }
  if (field.type === 'flag') return { type: 'boolean' }
  return { type: 'string', ...given({ enum: field.values }), ...(field.type === 'secret' ? { writeOnly: true } : {}) }
}

function property(field: Field): Record<string, unknown> {
  const words = field.form === 'list' ? 'words, "quoted" where one has spaces' : undefined
  const description = [field.about, forms[field.type], words].filter(Boolean).join('; ')
  const usual = field.type === 'integer' && field.default !== undefined ? Number(field.default) : field.default
  return { ...one(field), ...(description === '' ? {} : { description }), ...given({ default: usual }) }
}

/** What a command takes, for who gives arguments by name. */
export const jsonSchemaOf = (fields: readonly Field[]): JsonSchema => ({
  type: 'object',
  properties: Object.fromEntries(fields.map(field => [field.key, property(field)])),
  required: fields.filter(({ required }) => required).map(({ key }) => key),
  additionalProperties: false,
})
