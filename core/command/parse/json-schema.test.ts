import assert from 'node:assert/strict'
import { it } from 'node:test'
import { z } from 'zod'
import { fieldsOf } from './fields.ts'
import { jsonSchemaOf } from './json-schema.ts'
import { durationMs, nameOf, rest, whole } from './values.ts'

it('says of each argument what it is', () => {
  const schema = z.object({
    who: nameOf('person').describe('whose it is'),
    count: whole(1, 9).prefault('3'),
    words: z.array(z.string()),
    format: z.enum(['csv', 'jsonl']).default('jsonl').meta({ named: true }),
    for: durationMs().optional().meta({ named: true }),
    open: z.boolean().default(false).meta({ flag: true }),
    pin: rest().meta({ secret: true }).optional(),
  })
  assert.deepEqual(jsonSchemaOf(fieldsOf(schema)), {
    type: 'object',
    properties: {
      who: { type: 'string', description: 'whose it is; a name, or network:account' },
      count: { type: 'integer', minimum: 1, maximum: 9, default: 3 },
      words: { type: 'string', description: 'words, "quoted" where one has spaces' },
      format: { type: 'string', enum: ['csv', 'jsonl'], default: 'jsonl' },
      for: { type: 'string', description: '90s, 15m, 2h, 3d or 1d12h' },
      open: { type: 'boolean' },
      pin: { type: 'string', writeOnly: true },
    },
    required: ['who', 'words'],
    additionalProperties: false,
  })
})
