import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { makeFolder } from '../../../core/files.ts'
import { shortFolder } from '../../../core/paths.ts'
import { sleep } from '../../../core/retry.ts'
import { accountsFor, type ManagedAccounts } from '../accounts/index.ts'
import { askServer, authenticate, Wire } from '../accounts/session.ts'
import { controlPath } from '../control.ts'
import { Trial } from '../testing/trial.ts'
import type { Line } from '../text/line.ts'
import { capabilities } from './ready.ts'
import { folders } from './settings.ts'
import { availableServers, processOn, startInspircd, type TestServer } from './testing.ts'

const reason = (await availableServers()).find(({ kind }) => kind === 'inspircd')?.reason ?? false

/** What the facts of InspIRCd 3.15 and Anope 2.0 would do to us, were it not for a line of configuration or code. */
describe('InspIRCd with Anope', { skip: reason }, () => {
  let server: TestServer
  let accounts: ManagedAccounts

  before(async () => {
    server = await startInspircd(null)
    assert.ok(server.control)
    accounts = accountsFor(server.control)
  })
  after(async () => {
    accounts.close()
    await server.stop()
  })

  const enter = async (wire: Wire, nick: string): Promise<Line[]> =>
    wire.ask([`NICK ${nick}`, 'USER test 0 * :test', 'CAP END'], line => /^(001|ERROR|43[23])$/.test(line.command))
  const client = async (account: string, password: string, nick = account): Promise<Wire> => {
    const wire = await Wire.open({ host: server.host, port: server.port })
    assert.ok(await authenticate(wire, account, password))
    assert.equal((await enter(wire, nick)).at(-1)?.command, '001')
    return wire
  }
  /** One of our own: no account is needed on the unix socket. */
  const bot = async (nick: string): Promise<Wire> => {
    const wire = await Wire.open({ path: server.control?.socket ?? '' })
    assert.equal((await enter(wire, nick)).at(-1)?.command, '001')
    return wire
  }
  test('without an account nobody enters over TCP, loopback or not', async () => {
    const wire = await Wire.open({ host: server.host, port: server.port })
    assert.equal((await enter(wire, 'stranger')).at(-1)?.command, 'ERROR')
  })

  test('the login that waits for the next second does not make many wait for one another', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => accounts.create(`crowd${index}`, 'password-of-crowd')))
    const sinceMs = performance.now()
    const wires = await Promise.all(
      Array.from({ length: 20 }, (_, index) => client(`crowd${index}`, 'password-of-crowd')),
    )
    assert.ok(performance.now() - sinceMs < 3000)
    for (const wire of wires) wire.close()
  })

  test('an operator login that is not taken is why we do not come in', { timeout: 20_000 }, async t => {
    const dataDir = await mkdtemp(join(tmpdir(), 'chanop-oper-'))
    t.after(() => rm(dataDir, { recursive: true, force: true }))
    await makeFolder(join(dataDir, 'ircd'))
    const oper = { name: 'chanop-control', password: 'of-before' }
    await writeFile(controlPath(dataDir), JSON.stringify({ ...server.control, oper }))
    const trial = await Trial.start({ config: { kind: 'irc', managed: true }, dataDir })
    t.after(() => trial.stop())
    while (!/operator login: run npm start again/.test(trial.adapter.status().reason ?? '')) await sleep(20)
    assert.equal(trial.adapter.status().state, 'down')
  })

  test('a bot’s nick can be had by SANICK alone, also while services are away', async () => {
    const stranger = await client('crowd1', 'password-of-crowd')
    const refusedNick = async (): Promise<boolean> =>
      (await askServer(stranger, ['NICK oracle'])).some(line => line.command === '432')
    assert.ok(await refusedNick())
    await server.kill('SIGKILL', 'anope')
    assert.ok(await refusedNick())
    const boot = await bot('oracle-boot')
    await server.restart()
    await accounts.command(['SANICK oracle-boot oracle'])
    const seen = await askServer(boot, ['ISON oracle'])
    assert.equal(seen.find(line => line.command === '303')?.params[0], 'oracle')
    boot.close()
    stranger.close()
  })

  test('a nick that was taken back is its owner’s within two seconds', async () => {
    await accounts.create('nora', 'password-of-nora')
    const thief = await client('crowd2', 'password-of-crowd')
    await thief.ask(['NICK nora'], line => line.command === 'NICK' && line.params[0] !== 'nora')
    const owner = await client('nora', 'password-of-nora', 'nora-elsewhere')
    const untilMs = performance.now() + 2500
    let got = false
    while (!got && performance.now() < untilMs) {
      const lines = await owner.ask(['NICK nora', 'PING x'], line => line.command === 'PONG')
      got = lines.some(line => line.command === 'NICK' && line.params[0] === 'nora')
      await sleep(50)
    }
    assert.ok(got)
    thief.close()
    owner.close()
  })

  test('a line of 3,000 bytes arrives whole', async () => {
    const [alice, bob] = [await bot('long-a'), await bot('long-b')]
    const text = 'ä'.repeat(1500)
    const heard = bob.ask([], line => line.command === 'PRIVMSG')
    await askServer(alice, [`PRIVMSG long-b :${text}`])
    assert.equal((await heard).at(-1)?.params[1], text)
    alice.close()
    bob.close()
  })

  test('configured channels stay, with their modes, and replay what was said in them', async () => {
    await server.kill('SIGKILL', 'inspircd')
    await server.kill('SIGTERM', 'anope')
    await server.restart()
    const speaker = await bot('speaker')
    const lines = await askServer(speaker, ['JOIN #general', 'MODE #general', 'PRIVMSG #general :kept for later'])
    assert.match(lines.find(line => line.command === '324')?.params[2] ?? '', /(?=.*P)(?=.*H)/)
    const late = await bot('late')
    assert.ok((await askServer(late, ['JOIN #general'])).some(line => line.params[1] === 'kept for later'))
    speaker.close()
    late.close()
  })

  test('SIGINT, which PM2 sends to every process, is not its end; TERM is, and leaves no core file', async () => {
    const ircd = processOn(server.dataDir, 'inspircd')
    assert.match(await readFile(`/proc/${ircd}/limits`, 'utf8'), /Max core file size +0 +0/)
    process.kill(ircd, 'SIGINT')
    assert.ok((await capabilities({ host: server.host, port: server.port }))?.has('sasl'))
    await server.kill('SIGTERM')
    const { inspircd, anope } = folders(server.dataDir)
    assert.deepEqual(
      (await readdir(join(inspircd, 'run'))).filter(name => name.startsWith('core')),
      [],
    )
    assert.ok((await readFile(join(anope, 'db', 'anope.db'), 'utf8')).includes('nora'))
    await server.restart()
    assert.ok(await accounts.get('nora'))
  })

  for (const [what, prefix] of [
    ['with spaces', 'chanop é & b-'],
    ['too long for a unix socket', `chanop-${'x'.repeat(90)}-`],
  ] as const) {
    test(`a data folder with a path ${what} has a socket for our own`, async t => {
      const odd = await startInspircd(t, { prefix })
      t.after(() => rm(shortFolder(odd.dataDir), { recursive: true, force: true }))
      const path = odd.control?.socket ?? ''
      const wire = await Wire.open({ path })
      assert.equal((await enter(wire, 'bot')).at(-1)?.command, '001')
      const shown = await askServer(wire, ['JOIN #general', 'WHOIS bot'])
      assert.equal(shown.find(line => line.command === '311')?.params[3], 'bots.chanop')
      wire.close()
    })
  }

  test('what the server keeps in its folders is nobody else’s to read', async () => {
    const command = server.control?.registerCommand ?? ''
    const logs = await readdir(join(folders(server.dataDir).anope, 'log'))
    for (const name of logs)
      assert.ok(!(await readFile(join(folders(server.dataDir).anope, 'log', name), 'utf8')).includes(command))
  })
})
