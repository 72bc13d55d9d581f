/** Secrets made and typed in every way are looked for wherever they must not be: nothing of them is found. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { availableServers } from '../adapters/irc/server/testing.ts'
import { type Line, lastParam } from '../adapters/irc/text/line.ts'
import { Instance, type ServerKind, until } from './instance.ts'
import { Client } from './irc.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '..')
const here = await availableServers()
const [server] = here.flatMap(({ kind, reason }) =>
  reason === null && kind !== 'ngircd' ? [kind] : [],
) as ServerKind[]
const typed = 'sk-typed-canary-0123456789abcdef'

/** Every file below a folder. */
function* files(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* files(path)
    else if (entry.isFile()) yield path
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    // It ended, was renamed or belongs to somebody else while we looked.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}

describe('canaries', { skip: server === undefined ? here.map(({ reason }) => reason).join('; ') : false }, () => {
  const heard: Line[] = []
  const canaries = new Map<string, string>([['typed', typed]])
  let instance: Instance
  let owner: Client

  const hears = (pattern: RegExp, from: number): Promise<string> =>
    until(
      `${pattern}`,
      20_000,
      async () =>
        heard
          .slice(from)
          .map(lastParam)
          .find(text => pattern.test(text)) ?? null,
    )
  const says = (to: string, words: string, answer: RegExp): Promise<string> => {
    const from = heard.length
    owner.write(`PRIVMSG ${to} :${words}`)
    return hears(answer, from)
  }
  /** Has a login made and keeps its password. */
  const made = async (name: string, words: string): Promise<void> => {
    const login = await says('#general', words, new RegExp(`account=${name} password=`))
    canaries.set(words, /password=(\S+)/.exec(login)?.[1] as string)
  }
  const leaks = (text: string): string[] =>
    [...canaries].filter(([, secret]) => text.includes(secret)).map(([what]) => what)

  before(async () => {
    instance = await Instance.start({ managed: server as ServerKind, external: null })
    owner = new Client(await instance.owner(), { line: line => heard.push(line), closed: () => undefined })
    await owner.login()
    owner.write('JOIN #general')
    await until('the bots', 20_000, async () => heard.some(line => /bridge/.test(lastParam(line))))
    await says('#general', '!version', /\d+\.\d+\.\d+/)
    await made('worker-1', '!register worker-1')
    await made('worker-1', '!rotate worker-1')
    await made('bob', '!person add bob')
    await made('bob', '!person passwd bob')
    const code = /: (\S+-\S+-\S+) ·/.exec(await says('#general', '!register worker-2 --claim', /claim code of/))?.[1]
    canaries.set('claim code', code as string)
    const login = await says('admin', `claim ${code}`, /account=worker-2 password=/)
    canaries.set('claimed', /password=(\S+)/.exec(login)?.[1] as string)
    await says('admin', `secret set CANARY ${typed}`, /CANARY is set/)
    const told = await says('#general', '!register fleet-{1..7}', /the logins are in/)
    const bundle = readFileSync(/in (\S+) on the host/.exec(told)?.[1] as string, 'utf8')
    for (const [, name, password] of bundle.matchAll(/account=(\S+) password=(\S+)/g))
      canaries.set(name as string, password as string)
    assert.equal(canaries.size, 1 + 4 + 2 + 7)
  })
  after(async () => {
    owner.close()
    await instance.close()
  })

  test('no channel heard one', () => {
    const said = heard.filter(line => line.params[0]?.startsWith('#')).map(lastParam)
    assert.deepEqual(
      said.filter(text => leaks(text).length > 0),
      [],
    )
  })

  test('no file holds one: ledger, logs, PM2, Redis, the IRC server; but the bundle, for its owner alone', async () => {
    const bundle = /^d\/agents\/registered-\d+\.txt$/
    const found = (): string[] =>
      [...files(instance.folder)].flatMap(path => {
        const name = relative(instance.folder, path)
        const what = leaks(read(path))
        if (what.length > 0 && bundle.test(name)) assert.equal(statSync(path).mode & 0o777, 0o600)
        return what.length > 0 && !bundle.test(name) ? [`${name}: ${what.join(', ')}`] : []
      })
    // What was typed is wiped with the answer, and out of the write-ahead log within seconds.
    await until('the write-ahead log to be clean', 10_000, async () => found().length === 0).catch(() => undefined)
    assert.deepEqual(found(), [])
  })

  test('no process shows one in its environment or command line', () => {
    const shown = readdirSync('/proc')
      .filter(pid => /^\d+$/.test(pid))
      .filter(pid => leaks(read(`/proc/${pid}/environ`) + read(`/proc/${pid}/cmdline`)).length > 0)
    assert.deepEqual(shown, [])
  })

  test('no export and no audit holds one', async () => {
    const file = join(instance.folder, 'all.jsonl')
    const env = { ...process.env, CHANOP_DATA: instance.data, CHANOP_CONFIG: join(instance.folder, 'c.yaml') }
    const { stdout } = await run(process.execPath, [join(root, 'scripts', 'export.ts'), '--all', '--out', file], {
      env,
    })
    assert.deepEqual(leaks(read(file) + stdout), [])
    const from = heard.length
    await says('#general', '!audit', /register/)
    assert.deepEqual(
      heard.slice(from).filter(line => leaks(lastParam(line)).length > 0),
      [],
    )
  })

  test('Redis holds none', async () => {
    const keys = await instance.redis('KEYS *')
    assert.deepEqual(leaks(keys), [])
  })

  test('the IRC server’s history lets go of them', async () => {
    if (!owner.has('draft/chathistory')) return
    await until('the history to be clean', 90_000, async () => {
      const lines = [...(await owner.history('LATEST admin * 100')), ...(await owner.history('LATEST #general * 100'))]
      // What the owner typed is theirs, and stays in their own.
      const found = leaks(lines.map(lastParam).join('\n')).filter(what => what !== 'typed' && what !== 'claim code')
      return found.length === 0
    })
  })
})
