/** MCP's own programs: the inspector as a client of both eras, and the conformance suite. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mcpWith } from '../../adapters/http/routes/mcp.ts'
import { adapterOf } from '../../adapters/http/testing/alone.ts'
import type { UserId } from '../../core/event.ts'
import { silentLog } from '../../core/log.ts'
import type { Places } from '../../scripts/programs/places.ts'
import type { House } from '../house.ts'
import { mcpPrograms } from './programs.ts'
import type { Rig } from './rig.ts'
import { sampleServer } from './samples.ts'

const mostMs = 120_000

interface Ran {
  readonly code: number
  readonly text: string
}

/** Runs one of their programs, with a home of its own. */
function ran(home: string, program: string, args: readonly string[]): Promise<Ran> {
  const options = { env: { ...process.env, HOME: home, NO_COLOR: '1' }, timeout: mostMs, maxBuffer: 50_000_000 }
  return new Promise(done => {
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) =>
      done({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, text: stdout + stderr }),
    )
  })
}

async function inspected(rig: Rig, home: string, inspector: string, key: string): Promise<void> {
  const ask = async (era: string, args: readonly string[], by = key): Promise<Ran> => {
    const eras = era === 'modern' ? ['--protocol-era', 'modern'] : []
    const header = ['--header', `Authorization: Bearer ${by}`, '--stored-auth-only']
    return ran(home, inspector, ['--cli', `${rig.world.url}/mcp`, '--transport', 'http', ...eras, ...header, ...args])
  }
  for (const era of ['legacy', 'modern']) {
    const told = async (args: readonly string[], words: RegExp): Promise<void> => {
      const { code, text } = await ask(era, args)
      assert.equal(code, 0, `${era} ${args.join(' ')}: ${text.slice(-1000)}`)
      assert.match(text, words, `${era} ${args.join(' ')}`)
    }
    await told(['--method', 'tools/list'], /"role_grant"/)
    await told(['--method', 'tools/call', '--tool-name', 'whoami'], /olga/)
    const spent = ['--tool-name', 'usage', '--tool-arg', 'period=month']
    await told(['--method', 'tools/call', ...spent], /in 0 requests/)
    await told(['--method', 'resources/list'], /chanop:\/\/rooms\/general/)
    await told(['--method', 'resources/read', '--uri', 'chanop://rooms/general'], /contents/)
    await told(['--method', 'prompts/list'], /catch-up/)
    await told(['--method', 'prompts/get', '--prompt-name', 'health'], /messages/)
    const wrong = await ask(era, ['--method', 'tools/list'], 'chanop_wrong')
    assert.notEqual(wrong.code, 0, `${era}: a wrong key was let in`)
    console.log(`mcp inspector, ${era}: tools, resources and prompts; a wrong key is refused`)
  }
}

/** The suite's own samples, behind the adapter that is behind `/mcp`. */
async function serveSamples(house: House): Promise<{ url: string; stop: () => Promise<void> }> {
  const up = Promise.withResolvers<void>()
  const changed = (): void => {
    if (adapter.status().state === 'up') up.resolve()
  }
  const cursors = { newest: async () => null, get: async () => null, set: async () => undefined }
  const adapter = await adapterOf(house, { log: silentLog(), cursors, changed }, [mcpWith(sampleServer)])
  const ending = new AbortController()
  const ended = adapter.run(async () => undefined, ending.signal)
  await up.promise
  const stop = async (): Promise<void> => {
    ending.abort()
    await ended
  }
  return { url: `http://127.0.0.1:${adapter.port}`, stop }
}

/** Stands between, with the key: the suite brings none. */
async function withKey(at: string, key: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const { hostname, port } = new URL(at)
  const server = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${key}` }
    const on = request({ hostname, port, path: incoming.url, method: incoming.method, headers }, answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    on.on('error', () => outgoing.destroy())
    outgoing.on('close', () => on.destroy())
    incoming.pipe(on)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, stop }
}

interface Check {
  readonly id: string
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
  readonly errorMessage?: string
}

/** What can only be tried with the sample tools, prompts and resources of the suite's own server. */
const samples =
  /\btest_\w+|json_schema_2020_12_tool|test:\/\/|Not testable: server (exposes|does not list)|Expected InputRequiredResult|could not get initial InputRequiredResult/
/** Abilities that a server may have and ours does not declare: log messages by MCP, subscriptions of the old era. */
const undeclared = /^(logging-set-level|tools-call-with-logging|resources-subscribe|resources-unsubscribe)$/

const words = (all: string): string[] => all.split(' ')

/** What a server must do whatever its tools are: these have to pass. */
const needed: Readonly<Record<string, readonly string[]>> = {
  '2025-11-25': words('server-initialize ping tools-list resources-list prompts-list dns-rebinding-protection'),
  '2026-07-28': words(
    'tools-list resources-list prompts-list sep-2164-resource-not-found caching http-header-validation ' +
      'dns-rebinding-protection server-sse-multiple-streams',
  ),
}

/** What a server of the era before can do with sessions alone: `/mcp` has none (docs/mcp.md). */
const sessions =
  /^(resources-(un)?subscribe|tools-call-(sampling|elicitation)|elicitation-sep1034-general|elicitation-sep1330-general)$/

interface Trial {
  readonly revision: string
  readonly url: string
  readonly home: string
  /** The suite's program. */
  readonly suite: string
}

type Found = Check & { readonly scenario: string }

/** All that the suite found. */
async function checked({
  revision,
  url,
  home,
  suite,
}: Trial): Promise<{ readonly found: Found[]; readonly text: string }> {
  const results = await mkdtemp(join(home, 'results-'))
  const { text } = await ran(home, suite, [
    'server',
    '--url',
    url,
    '--suite',
    'all',
    '--spec-version',
    revision,
    '-o',
    results,
  ])
  const found: Found[] = []
  for (const folder of await readdir(results)) {
    const scenario = folder.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '')
    const checks = JSON.parse(await readFile(join(results, folder, 'checks.json'), 'utf8')) as Check[]
    found.push(...checks.map(check => ({ scenario, ...check })))
  }
  return { found, text }
}

const withStatus = (found: readonly Found[], wanted: Check['status']): Found[] =>
  found.filter(({ status }) => status === wanted)

/** Chanop's own server: what fails fails for want of a sample. */
async function conforms(trial: Trial): Promise<void> {
  const { revision } = trial
  const { found, text } = await checked(trial)
  const failed = withStatus(found, 'FAILURE')
  const ours = failed.filter(({ id, errorMessage = '' }) => !samples.test(errorMessage) && !undeclared.test(id))
  assert.deepEqual(ours, [], `${revision}: ${text.slice(-3000)}`)
  for (const scenario of needed[revision] ?? []) {
    const states = found.filter(each => each.scenario === scenario).map(({ status }) => status)
    assert.ok(
      states.includes('SUCCESS') && !states.includes('FAILURE'),
      `${revision} ${scenario}: ${states.join(', ')}`,
    )
  }
  const passed = withStatus(found, 'SUCCESS').length
  console.log(
    `mcp conformance, ${revision}: ${passed} checks pass, ${failed.length} want the suite's own samples, none fails`,
  )
}

/** The suite's samples behind the same routes: all passes but what needs sessions. */
async function carries(trial: Trial): Promise<void> {
  const { found, text } = await checked(trial)
  const failed = withStatus(found, 'FAILURE')
  const ours = failed.filter(({ id }) => !sessions.test(id))
  assert.deepEqual(ours, [], `${trial.revision}, samples: ${text.slice(-3000)}`)
  const passed = withStatus(found, 'SUCCESS').length
  assert.ok(passed > 25, `${passed} checks pass`)
  console.log(
    `mcp conformance with samples, ${trial.revision}: ${passed} checks pass, ${failed.length} want sessions, none fails`,
  )
}

export async function mcpClients(rig: Rig, places: Places): Promise<void> {
  const program = await mcpPrograms(places)
  const key = await rig.world.key('olga', 'owner', { account: 'olga-key' as UserId })
  const home = await mkdtemp(join(tmpdir(), 'chanop-mcp-'))
  const samples = await serveSamples(rig.world.house)
  const own = await withKey(rig.world.url, key)
  const theirs = await withKey(samples.url, key)
  try {
    await inspected(rig, home, program('@modelcontextprotocol/inspector'), key)
    for (const [revision, suite] of [
      ['2025-11-25', program('@modelcontextprotocol/conformance')],
      ['2026-07-28', program('conformance-next')],
    ] as const) {
      await conforms({ revision, suite, home, url: own.url })
      await carries({ revision, suite, home, url: theirs.url })
    }
  } finally {
    for (const { stop } of [own, theirs, samples]) await stop()
    await rm(home, { recursive: true, force: true })
  }
}
