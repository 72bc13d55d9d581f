/** Nobody is shown a regular expression or a sentence of zod: whatever a schema checks, it says in words what it wants. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { z } from 'zod'
import { configSchema } from '../config/schema.ts'
import { checkArgs } from '../core/command/parse/args.ts'
import { fieldsOf } from '../core/command/parse/fields.ts'
import { faultOf, reasonOf } from '../core/config/fault.ts'
import { commands } from '../scripts/docs.ts'

interface Inside {
  readonly check?: string
  readonly format?: string
  readonly error?: unknown
  readonly checks?: readonly { readonly _zod: { readonly def: Inside } }[]
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly options?: readonly z.ZodType[]
  readonly [key: string]: unknown
}

const insideOf = (schema: z.ZodType): Inside => schema._zod.def as unknown as Inside

/** Where a schema checks a form (a pattern, a URL) and has no words for it. */
function wordless(schema: z.ZodType, path: string, seen = new Set<z.ZodType>()): string[] {
  if (seen.has(schema)) return []
  seen.add(schema)
  const inside = insideOf(schema)
  const forms = [inside, ...(inside.checks ?? []).map(check => check._zod.def)]
  const own = forms.filter(({ check, error }) => check === 'string_format' && error === undefined).map(() => path)
  const below = ['innerType', 'in', 'out', 'element', 'keyType', 'valueType'].flatMap(key => {
    const next = inside[key] as z.ZodType | undefined
    return next?._zod ? wordless(next, path, seen) : []
  })
  const options = (inside.options ?? []).flatMap(option => wordless(option, path, seen))
  const fields = Object.entries(inside.shape ?? {}).flatMap(([key, field]) => wordless(field, `${path}.${key}`, seen))
  return [...own, ...below, ...options, ...fields]
}

test('every pattern of a setting and of an argument has words of its own', () => {
  assert.deepEqual(wordless(configSchema, ''), [])
  assert.deepEqual(
    commands.flatMap(command => wordless(command.args as z.ZodType, command.name)),
    [],
  )
})

/** What zod or a pattern would say. */
const raw = /Invalid|expected|received|Too (?:big|small)|pattern|\[[a-z]|\\\\|\{\d|>=|<=/i
const hostile = ['', '!', '<script>', '%', '"', 'x y', 'ä'.repeat(9000), '-1', '9'.repeat(40), '0bad', '[a-z]+', 'null']

test('whatever is typed for an argument, the answer is in words', () => {
  for (const { name, args } of commands) {
    const fields = fieldsOf(args as z.ZodObject)
    for (const { key } of fields) {
      for (const value of hostile) {
        const parsed = checkArgs(name, args as z.ZodObject, {
          values: { [key]: value },
          masked: '',
          fault: null,
          secret: false,
        })
        if (parsed.ok) continue
        const [said = ''] = parsed.fault.replaceAll(`'${value.slice(0, 39)}`, '').split(' · usage: ')
        assert.doesNotMatch(said.replace(value, ''), raw, `${name} ${key}=${value.slice(0, 20)}`)
      }
    }
  }
})

test('whatever stands in the configuration, the fault is in words', () => {
  const values = [null, 0, -1, 1e99, true, '', 'x y', '0bad', [], ['x y'], {}, { 'a b': 1 }]
  const sections = [
    'networks',
    'rooms',
    'commands',
    'channels',
    'fleet',
    'models',
    'redis',
    'media',
    'scribe',
    'oracle',
  ]
  const network = (more: object): object => ({ kind: 'irc', host: 'h', nick: 'n', ...more })
  const whole = [
    ...sections.flatMap(key => values.map(value => ({ [key]: value }))),
    ...['nick', 'fingerprint', 'port', 'flood', 'sasl', 'channels', 'host', 'tls', 'serverPassword'].flatMap(key =>
      values.map(value => ({ networks: { a: network({ [key]: value }) } })),
    ),
    ...values.map(value => ({ networks: { a: { kind: 'matrix', homeserver: value } } })),
  ]
  for (const config of whole) {
    const fault = faultOf(configSchema, {
      owner: 'irc:o',
      networks: { irc: { kind: 'irc', managed: true } },
      ...config,
    })
    if (fault) assert.doesNotMatch(fault.message.replace(/'[^']*'/g, ''), raw, JSON.stringify(config))
  }
})

test('of several forms the one that was meant is spoken of', () => {
  const issue = (schema: z.ZodType, value: unknown): z.core.$ZodIssue =>
    schema.safeParse(value).error?.issues[0] as z.core.$ZodIssue
  const networks = { irc: { kind: 'irc', managed: true } }
  const fault = faultOf(configSchema, { owner: 'irc:o', networks, channels: { types: { 'x-': { modes: '+b' } } } })
  assert.match(fault?.message ?? '', /write modes that are plain switches/)
  assert.equal(reasonOf(issue(commands[0]?.args as z.ZodType, null), null), 'must be a map of keys and values')
})

test('who is somebody is not told to be a channel', () => {
  const networks = { irc: { kind: 'irc', managed: true } }
  for (const wrong of [{ owner: 'bob' }, { ignore: { bob: null } }, { oracle: { bots: ['bob'] } }])
    assert.match(faultOf(configSchema, { networks, ...wrong })?.message ?? '', /write network:account, e\.g\. irc:bob$/)
})
