/** MCP's own programs: the inspector as a client of both eras, and the conformance suite. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { UserId } from '../../core/event.ts'
import type { Places } from '../../scripts/programs/places.ts'
import { mcpPrograms } from './programs.ts'
import type { Rig } from './rig.ts'

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

/** Stands between, with the key: the suite brings none. */
async function withKey(rig: Rig, key: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const { hostname, port } = new URL(rig.world.url)
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

async function conforms(revision: string, url: string, home: string, suite: string): Promise<void> {
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
  const checks = new Map<string, Check[]>()
  for (const folder of await readdir(results)) {
    const scenario = folder.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '')
    checks.set(scenario, JSON.parse(await readFile(join(results, folder, 'checks.json'), 'utf8')) as Check[])
  }
  const all = [...checks].flatMap(([scenario, each]) => each.map(check => ({ scenario, ...check })))
  const failed = all.filter(({ status }) => status === 'FAILURE')
  const ours = failed.filter(({ id, errorMessage = '' }) => !samples.test(errorMessage) && !undeclared.test(id))
  assert.deepEqual(ours, [], `${revision}: ${text.slice(-3000)}`)
  for (const scenario of needed[revision] ?? []) {
    const states = (checks.get(scenario) ?? []).map(({ status }) => status)
    assert.ok(
      states.includes('SUCCESS') && !states.includes('FAILURE'),
      `${revision} ${scenario}: ${states.join(', ')}`,
    )
  }
  const passed = all.filter(({ status }) => status === 'SUCCESS').length
  console.log(
    `mcp conformance, ${revision}: ${passed} checks pass, ${failed.length} want the suite's own samples, none fails`,
  )
}

export async function mcpClients(rig: Rig, places: Places): Promise<void> {
  const program = await mcpPrograms(places)
  const key = await rig.world.key('olga', 'owner', { account: 'olga-key' as UserId })
  const home = await mkdtemp(join(tmpdir(), 'chanop-mcp-'))
  const { url, stop } = await withKey(rig, key)
  try {
    await inspected(rig, home, program('@modelcontextprotocol/inspector'), key)
    await conforms('2025-11-25', url, home, program('@modelcontextprotocol/conformance'))
    await conforms('2026-07-28', url, home, program('conformance-next'))
  } finally {
    await stop()
    await rm(home, { recursive: true, force: true })
  }
}
