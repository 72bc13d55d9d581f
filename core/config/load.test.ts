import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { configSchema } from '../../config/schema.ts'
import { ChanopError } from '../error.ts'
import { temporaryFolder } from '../ledger/testing.ts'
import { loadConfig, parseConfig } from './load.ts'

const example = join(import.meta.dirname, '..', '..', 'config', 'example.yaml')
const secret = 'hunter2-hunter2'
const head = 'networks:\n  irc: { kind: irc, managed: true }\n'
const external = 'networks:\n  x:\n    kind: irc\n    host: irc.example.org\n    nick: me\n'

/** A text, and the one line it gives after the name of the file. */
const broken: readonly [name: string, source: string, line: string | RegExp][] = [
  ['typo at the top', 'netwroks: {}\n', "1: unknown key 'netwroks'; did you mean 'networks'?"],
  ['typo inside', `${head}budget: { dailyUsdd: 5 }\n`, "3: unknown key 'budget.dailyUsdd'; did you mean 'dailyUsd'?"],
  [
    'typo in a managed network',
    "networks:\n  irc:\n    kind: irc\n    managed: true\n    chanels: ['#a']\n",
    "5: unknown key 'networks.irc.chanels'; did you mean 'channels'?",
  ],
  [
    'typo in an external network',
    `${external}    personae: false\n`,
    "6: unknown key 'networks.x.personae'; did you mean 'personas'?",
  ],
  [
    'typo three deep, in a union within a union',
    `${external}    sasl: { acount: a, password: env:X }\n`,
    "6: unknown key 'networks.x.sasl.acount'; did you mean 'account'?",
  ],
  ...(
    [
      ['networks.x.homeserver', '{ kind: matrix, token: env:T, homeserver: URL }'],
      ['networks.x.api', '{ kind: discord, token: env:T, api: URL }'],
      ['networks.x.api', '{ kind: slack, token: env:T, appToken: env:A, api: URL }'],
      ['networks.x.api', '{ kind: telegram, token: env:T, api: URL }'],
    ] as const
  ).map(([key, network]): (typeof broken)[number] => [
    `a login in an address of ${network}`,
    `networks:\n  x: ${network.replace('URL', `'https://me:${secret}@h.example.org'`)}\n`,
    `2: '${key}' is wrong: leave name and password out of it: it is shown and kept as it is`,
  ]),
  [
    'a login in the address of a model',
    `${head}models:\n  m: { model: m, baseUrl: 'https://me:${secret}@h.example.org' }\n`,
    "4: 'models.m.baseUrl' is wrong: leave name and password out of it: it is shown and kept as it is",
  ],
  [
    'wrong mechanism',
    `${external}    sasl: { mechanism: plian, account: a, password: env:X }\n`,
    "6: 'networks.x.sasl.mechanism' must be one of plain, external; did you mean 'plain'?",
  ],
  [
    'key of the other form',
    'networks:\n  irc:\n    kind: irc\n    managed: true\n    host: h\n',
    "5: unknown key 'networks.irc.host'; known keys: kind, channels, personas, managed, history, listen, on",
  ],
  [
    'unknown kind',
    'networks:\n  x:\n    kind: ircc\n',
    /^3: 'networks\.x\.kind' must be one of irc.*did you mean 'irc'\?$/,
  ],
  ['no kind', 'networks:\n  x:\n    host: h\n', /^2: 'networks\.x\.kind' is missing; it must be one of irc/],
  [
    'a word for a switch',
    "networks:\n  irc: { kind: irc, managed: 'yes' }\n",
    "2: 'networks.irc.managed' must be one of true, false",
  ],
  ['wrong type', `${head}budget: { dailyUsd: much }\n`, "3: 'budget.dailyUsd' must be a number"],
  ['a number for a text', `${head}owner: 5\n`, "3: 'owner' must be text (in quotes)"],
  ['a list for a map', `${head}rooms: [a]\n`, "3: 'rooms' must be a map of names and values"],
  ['missing in a network', 'networks:\n  x:\n    kind: irc\n    nick: me\n', "2: 'networks.x.host' is missing"],
  ['missing at the top', 'name: chanop\n', "1: 'networks' is missing"],
  ['port out of range', `${external}    port: 99999\n`, "6: 'networks.x.port' must be at most 65535"],
  [
    'number out of range',
    `${head}budget: { alertsAtPercent: [50, 0] }\n`,
    "3: item 2 of 'budget.alertsAtPercent' (0) must be at least 1",
  ],
  ['empty list', `${head}rooms: { a: { places: [] } }\n`, "3: 'rooms.a.places' must be at least 1 items"],
  [
    'bad place',
    `${head}rooms:\n  general:\n    places:\n      - irc:#a\n      - nowhere\n`,
    "7: item 2 of 'rooms.general.places' (nowhere) is wrong: write network:channel, e.g. irc:#general",
  ],
  [
    'bad room name',
    `${head}rooms:\n  'My Room':\n    places: ['irc:#a']\n`,
    "4: 'rooms.My Room' is no good name: use lower-case letters, digits, - and _",
  ],
  [
    'bad network name',
    'networks:\n  IRC: { kind: irc, managed: true }\n',
    "2: 'networks.IRC' is no good name: use lower-case letters, digits and -",
  ],
  [
    'not one of',
    `${head}irc: { server: ergoo }\n`,
    "3: 'irc.server' must be one of ergo, inspircd; did you mean 'ergo'?",
  ],
  ['key twice', 'name: a\nname: b\n', "2: the key 'name' stands twice in the same map: remove one"],
  ['bracket left open', 'networks: {\n', /^2: not YAML: .*bracket/],
  ['tab', 'networks:\n\tirc: {}\n', '2: not YAML: a tab stands where only spaces may: indent with spaces'],
  [
    'channel without quotes',
    'networks:\n  irc: { kind: irc, managed: true, channels: [#a] }\n',
    /^2: not YAML: .*#.*quotes/,
  ],
  ['unknown alias', `${head}models: *main\n`, '3: not YAML: a value that begins with * must stand in quotes'],
  ['a tag', `${head}name: !chanop x\n`, '3: not YAML: a value that begins with ! must stand in quotes'],
  [
    'two documents',
    'networks: {}\n---\nname: a\n',
    '2: not YAML: a second document begins here: one file, one document',
  ],
  ['empty file', '', "1: 'networks' is missing"],
  ['only a comment', '# nothing\n', "1: 'networks' is missing"],
  ['a list', '- a\n- b\n', '1: the whole file must be a map of keys and values'],
  ['one word', 'hello\n', '1: the whole file must be a map of keys and values'],
  ['a key that is no name', `${head}? [a, b]\n: x\n`, /^\d+: unknown key/],
  ['prototype', `${head}__proto__: { a: 1 }\n`, /^3: unknown key '__proto__'/],
  [
    'aliases without end',
    'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]\n',
    /^1: not YAML: aliases/,
  ],
]

/** Texts with a secret where a reference, or something else, belongs. */
const leaking: readonly string[] = [
  `${external}    sasl: { account: a, password: ${secret} }\n`,
  `${external}    sasl: { mechanism: plain, account: a, password: ${secret} }\n`,
  `${external}    sasl: ${secret}\n`,
  `${external}    sasl: [${secret}]\n`,
  `${external}    sasl: { mechanism: ${secret} }\n`,
  `${external}    serverPassword: ${secret}\n`,
  `${external}    serverPassword: "${secret}\n`,
  `${external}    serverPassword: ${secret}: ${secret}\n`,
  `${external}    serverPassword: ${secret} ] }\n`,
  `${external}    serverPassword: "${secret}\\q"\n`,
  `${external}    serverPassword: !${secret} x\n`,
  `${external}    serverPassword: *${secret}\n`,
  `${external}    serverPassword: &${secret} &x y\n`,
  `${external}    port: ${secret}\n`,
  `${external}    tls: ${secret}\n`,
  `${external}    fingerprint: ${secret}\n`,
  `${head}models: { main: { model: m, apiKey: ${secret} } }\n`,
  `${head}models: { main: { model: m, apiKey: ${secret}, price: ${secret}, contextTokens: ${secret} } }\n`,
  `networks:\n  x: { kind: ${secret} }\n`,
  `networks:\n  x: ${secret}\n`,
  `networks: ${secret}\n`,
  `name: ${secret}!\n${head}`,
  `${secret}\n`,
  `- ${secret}\n`,
  `%${secret}\n---\n`,
]

function lineFor(source: string): string {
  try {
    parseConfig(source, 'chanop.yaml', configSchema)
  } catch (error) {
    assert.ok(error instanceof ChanopError, String(error))
    assert.equal(error.code, 'config-invalid')
    assert.doesNotMatch(error.message, /\n/)
    assert.ok(error.message.startsWith('chanop.yaml:'), error.message)
    return error.message.slice('chanop.yaml:'.length)
  }
  return 'no fault'
}

describe('a broken configuration gives one line with file, line, key and what to write', () => {
  for (const [name, source, line] of broken) {
    it(name, () => {
      const said = lineFor(source)
      if (typeof line === 'string') assert.equal(said, line)
      else assert.match(said, line)
    })
  }
})

describe('a secret in the wrong place is not said', () => {
  for (const source of leaking) {
    it(JSON.stringify(source.replace(external, '… ').replace(head, '… ')), t => {
      const warned = t.mock.method(process, 'emitWarning', () => undefined)
      const said = lineFor(source)
      assert.notEqual(said, 'no fault')
      assert.doesNotMatch(said, /hunter2/)
      assert.equal(warned.mock.callCount(), 0)
    })
  }
})

it('config/example.yaml is valid, and every default is filled in and frozen', () => {
  const config = loadConfig(example, configSchema)
  assert.deepEqual(config.networks['irc']?.kind, 'irc')
  assert.equal(config.commands.prefix, '!')
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.rooms['general']?.places))
})

it('every example that stands in a comment of config/example.yaml is valid too', () => {
  const source = readFileSync(example, 'utf8')
  const all = source.replace(/^ {2}# ( {2,}\S|\w+:$)/gm, '  $1')
  assert.notEqual(all, source)
  const config = parseConfig(all, 'example.yaml', configSchema) as { networks: object }
  for (const name of ['irc', 'libera']) assert.ok(Object.hasOwn(config.networks, name), name)
})

it('a file that is not there, or can not be read, says so', t => {
  const folder = temporaryFolder(t)
  assert.throws(() => loadConfig(join(folder, 'none.yaml'), configSchema), /none\.yaml: it is not there: npm start/)
  assert.throws(() => loadConfig(folder, configSchema), /it can not be read \(EISDIR\)$/)
  writeFileSync(join(folder, 'a.yaml'), 'name: 5\n')
  assert.throws(() => loadConfig(join(folder, 'a.yaml'), configSchema), /a\.yaml:1: /)
})

/** Every text in a value, and how another one is put in its place. */
function* textsIn(value: unknown, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  if (typeof value === 'string') yield path
  else if (value !== null && typeof value === 'object')
    for (const [key, inner] of Object.entries(value)) yield* textsIn(inner, [...path, key])
}

function withText(value: unknown, [key, ...rest]: readonly (string | number)[], text: string): unknown {
  if (key === undefined) return text
  const copy = structuredClone(value) as Record<string | number, unknown>
  copy[key] = withText(copy[key], rest, text)
  return Array.isArray(value) ? Object.values(copy) : copy
}

it('no text in the configuration makes its check throw: it fits, or an issue says why not', () => {
  const full = parseConfig(
    `${readFileSync(example, 'utf8').replace(/^ {2}# ( {2,}\S|\w+:$)/gm, '  $1')}
models: { local: { model: m, baseUrl: 'http://127.0.0.1:1/v1' } }
redis: { url: 'redis://127.0.0.1:6379/0' }
`,
    'example.yaml',
    configSchema,
  ) as { networks: object }
  const networks = {
    ...full.networks,
    slack: { kind: 'slack', token: 'env:A', appToken: 'env:B', api: 'https://slack.com/api/' },
    web: {
      kind: 'http',
      listen: '127.0.0.1:1',
      url: 'https://example.org',
      proxy: ['127.0.0.1'],
      origins: ['https://a.b'],
    },
  }
  const config = { ...full, networks }
  assert.ok(configSchema.safeParse(config).success)
  for (const path of textsIn(config)) {
    for (const text of [
      '',
      'x',
      'http://',
      'https://[',
      'http://a:b@',
      '[::1',
      ':::',
      '1e999h',
      '__proto__',
      '\ud800',
      '(',
    ]) {
      const checked = configSchema.safeParse(withText(config, path, text))
      if (!checked.success)
        assert.ok(
          checked.error.issues.every(({ message }) => message !== ''),
          path.join('.'),
        )
    }
  }
})
