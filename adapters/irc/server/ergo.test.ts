import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { askServer, authenticate, Wire } from '../accounts/session.ts'
import type { Line } from '../text/line.ts'
import { capabilities } from './ready.ts'
import { availableServers, startErgo, type TestServer } from './testing.ts'

const reason = (await availableServers()).find(({ kind }) => kind === 'ergo')?.reason ?? false

describe('Ergo', { skip: reason }, () => {
  let server: TestServer
  before(async () => {
    server = await startErgo(null)
  })
  after(() => server.stop())

  const enter = (wire: Wire, nick: string): Promise<Line[]> =>
    wire.ask([`NICK ${nick}`, 'USER test 0 * :test', 'CAP END'], line => /^(001|ERROR|FAIL)$/.test(line.command))
  const client = async (account: string, password: string, caps = ''): Promise<Wire> => {
    const wire = await Wire.open({ host: server.host, port: server.port })
    assert.ok(await authenticate(wire, account, password))
    if (caps) await wire.ask([`CAP REQ :${caps}`], line => line.params[1] === 'ACK')
    assert.equal((await enter(wire, account)).at(-1)?.command, '001')
    return wire
  }
  const botPassword = (name: string): string => server.control?.accounts[name] ?? ''

  test('without an account nobody enters, loopback or not, and nobody makes one', async () => {
    const wire = await Wire.open({ host: server.host, port: server.port })
    assert.notEqual((await enter(wire, 'stranger')).at(-1)?.command, '001')
    const owner = await client('owner', server.owner?.password ?? '')
    const lines = await askServer(owner, ['PRIVMSG NickServ :REGISTER password-of-mine'])
    assert.ok(lines.some(line => line.command === 'NOTICE' && /disabled|already/i.test(line.params[1] ?? '')))
    owner.close()
  })

  test('offers what the adapter builds on', async () => {
    const offered = await capabilities({ host: server.host, port: server.port })
    for (const name of [
      'draft/chathistory',
      'draft/message-redaction',
      'draft/relaymsg',
      'echo-message',
      'labeled-response',
      'message-tags',
    ])
      assert.ok(offered?.has(name), name)
    assert.match(offered?.get('draft/multiline') ?? '', /max-bytes=32768,max-lines=500/)
  })

  test('a nick other than the account’s is refused', async () => {
    const owner = await client('owner', server.owner?.password ?? '')
    const lines = await askServer(owner, ['NICK somebody'])
    assert.ok(lines.some(line => line.command === '400'))
    owner.close()
  })

  test('500 lines at once are not slowed down, and history holds them', async () => {
    const bridge = await client('bridge', botPassword('bridge'), 'draft/chathistory batch echo-message')
    const sinceMs = performance.now()
    const lines = await askServer(bridge, [
      'JOIN #general',
      ...Array.from({ length: 500 }, (_, index) => `PRIVMSG #general :${index}`),
    ])
    assert.ok(performance.now() - sinceMs < 2000)
    assert.equal(lines.filter(line => line.command === 'PRIVMSG').length, 500)
    const kept = await askServer(bridge, ['CHATHISTORY LATEST #general * 1000'])
    // Joins are shown to readers without event-playback as lines of HistServ.
    assert.equal(kept.filter(line => line.command === 'PRIVMSG' && line.prefix.startsWith('bridge!')).length, 500)
    bridge.close()
  })

  test('configured channels are registered, the bots operators of them, over kill -9 too', async () => {
    await server.kill('SIGKILL')
    await server.restart()
    const oracle = await client('oracle', botPassword('oracle'))
    const lines = await askServer(oracle, ['JOIN #general', 'MODE #general', 'NAMES #general'])
    assert.match(lines.find(line => line.command === '324')?.params[2] ?? '', /n/)
    assert.ok(
      lines.some(
        line => line.command === 'MODE' || (line.command === '353' && (line.params[3] ?? '').includes('@oracle')),
      ),
    )
    oracle.close()
  })

  test('the bridge may become operator, and it alone speaks under the names of others', async () => {
    const owner = await client('owner', server.owner?.password ?? '')
    const spoken = (lines: readonly Line[]): boolean =>
      lines.some(line => line.prefix.startsWith('alice/test!') && line.params[1] === 'hello')
    const relay = [
      'JOIN #general',
      'JOIN #owned',
      'RELAYMSG #general alice/test :hello',
      'RELAYMSG #owned alice/test :hello',
    ]
    const refused = await askServer(owner, relay)
    assert.equal(refused.filter(line => line.params.includes('PRIVS_NEEDED')).length, 2, JSON.stringify(refused))
    assert.ok(!spoken(refused))
    owner.close()
    const bridge = await client('bridge', botPassword('bridge'))
    const { name, password } = server.control?.oper ?? { name: '', password: '' }
    assert.ok((await askServer(bridge, [`OPER ${name} ${password}`])).some(line => line.command === '381'))
    assert.ok(spoken(await askServer(bridge, relay)))
    bridge.close()
  })
})
