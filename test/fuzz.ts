/** `SCHEMATHESIS=PATH node test/fuzz.ts`: the HTTP API against its own document, by a tool that is not ours; see docs/testing.md. */
import { spawn } from 'node:child_process'
import { openWorld } from '../adapters/http/testing/world.ts'
import { optionsOf } from './options.ts'

const program = process.env['SCHEMATHESIS'] ?? 'schemathesis'
const options = optionsOf({ seed: Math.floor(Math.random() * 1e9), seconds: 120, only: '' })

/** Loads and kills of a whole instance are tried elsewhere; what a stranger may find is asked without any key. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'missing_required_header',
  'unsupported_method',
  'allow_header_conformance',
  'ignored_auth',
]

const closing: (() => void | Promise<void>)[] = []
const world = await openWorld(
  { after: done => void closing.push(done) },
  { http: 'perMinute: 1000000, perAddressPerMinute: 1000000' },
)
const key = await world.key('olga', 'owner')
const tool = spawn(
  program,
  [
    'run',
    '--header',
    `Authorization: Bearer ${key}`,
    '--checks',
    checks.join(','),
    '--seed',
    String(options.seed),
    '--max-time',
    String(options.seconds),
    '--request-timeout',
    '20',
    '--continue-on-failure',
    '--mode',
    'all',
    ...(options.only === '' ? [] : ['--include-path-regex', options.only]),
    `${world.url}/openapi.json`,
  ],
  // What it remembers of a run stays with the run.
  { stdio: 'inherit', cwd: world.house.dataDir },
)
const code = await new Promise<number>((resolve, reject) =>
  tool.on('error', reject).on('close', code => resolve(code ?? 1)),
)
for (const done of closing.toReversed()) await done()
process.exit(code)
