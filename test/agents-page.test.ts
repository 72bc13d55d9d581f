/** The programs of docs/agents.md, run as they stand there against every server that is here. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { availableServers, startErgo, startInspircd, type TestServer } from '../adapters/irc/server/testing.ts'
import type { Line } from '../adapters/irc/text/line.ts'
import { Client } from './irc.ts'

const page = await readFile(new URL('../docs/agents.md', import.meta.url), 'utf8')
const program = (language: string): string => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page)?.[1] ?? ''

const agents = [
  { name: 'agent.ts', language: 'ts', run: [process.execPath] },
  { name: 'agent.py', language: 'python', run: ['python3', '-u'] },
]

const starts = { ergo: startErgo, inspircd: startInspircd }
const servers = (await availableServers()).filter(({ kind }) => kind !== 'ngircd')
const waitMs = 10_000

/** Somebody in #general who waits for lines. */
async function person(
  t: { after(done: () => void): void },
  server: TestServer,
  account: string,
  heard: (line: Line) => void = () => undefined,
): Promise<Client> {
  const password = server.control?.accounts[account] ?? (await server.account(account))
  const client = new Client(
    { host: server.host, port: server.port, account, password, nick: `${account}-here` },
    { line: heard, closed: () => undefined },
  )
  t.after(() => client.close())
  await client.login()
  const joined = client.wait(line => line.command === '366', waitMs)
  client.write('JOIN #general')
  await joined
  return client
}

for (const { kind, reason } of servers) {
  describe(`the agents of docs/agents.md on ${kind}`, { skip: reason ?? false }, () => {
    for (const { name, language, run } of agents) {
      test(`${name} logs in, answers when it is named and to nothing else, and obeys`, async t => {
        const server = await starts[kind as 'ergo'](t, { channels: ['#general'] })
        const heard: string[] = []
        const alice = await person(t, server, 'alice', line => {
          if (line.command === 'PRIVMSG' && line.nick === 'worker-001') heard.push(line.params[1] ?? '')
        })
        alice.write('PRIVMSG #general :worker-001: said before it came')
        const folder = await mkdtemp(join(tmpdir(), 'chanop-agent-'))
        t.after(() => rm(folder, { recursive: true, force: true }))
        const { tls } = server.control as NonNullable<TestServer['control']>
        const password = await server.account('worker-001')
        const login = `account=worker-001 password=${password} server=ircs://${tls.host}:${tls.port} fingerprint=${tls.fingerprint}`
        await writeFile(join(folder, 'login'), `${login}\n`, { mode: 0o600 })
        await writeFile(join(folder, name), program(language))
        const here = alice.wait(line => line.command === 'JOIN' && line.nick === 'worker-001', waitMs)
        const [command = '', ...options] = run
        const agent = spawn(command, [...options, join(folder, name), join(folder, 'login')], { stdio: 'inherit' })
        t.after(() => agent.kill('SIGKILL'))
        await here
        const said = (text: string) =>
          alice.wait(
            line => line.command === 'PRIVMSG' && line.nick === 'worker-001' && line.params[1] === text,
            waitMs,
          )
        const pong = said('pong')
        alice.write('PRIVMSG #general :not for worker-0011', 'PRIVMSG #general :@worker-001, ping')
        assert.equal((await pong).params[0], '#general')
        const admin = await person(t, server, 'admin')
        const stopped = said('stopped')
        const own = '@+chanop/i=x'
        alice.write(`${own};+chanop/stop PRIVMSG #general :worker-001: stop`, 'NOTICE #general :worker-001: ping')
        admin.write(
          `${own} PRIVMSG #general :1 agent: 1 active`,
          `${own} PRIVMSG #general :worker-001 · worker · active`,
          `${own} PRIVMSG #general :worker-001: 1 session`,
          `${own};+chanop/wake PRIVMSG #general :worker-001: alice: ping`,
          `${own};+chanop/pause PRIVMSG #general :worker-001: pause`,
          `${own};+chanop/stop PRIVMSG #general :worker-001: stop`,
        )
        await stopped
        assert.deepEqual(heard, ['pong', 'pong', 'paused', 'stopped'])
      })
    }
  })
}
