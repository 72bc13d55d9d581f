import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { fingerprintOf, makeCertificate } from '../server/certificate.ts'
import { availableServers, startErgo, startInspircd, type TestServer } from '../server/testing.ts'
import type { Line } from '../text/line.ts'
import { accountsFor, type ManagedAccounts } from './index.ts'
import { askServer, authenticate, Wire } from './session.ts'
import { login, password } from './testing.ts'

const refused = (code: string) => (error: unknown) => (error as { code?: string }).code === code

/** The server's ERROR line when it ends this session. */
const farewell = async (wire: Wire): Promise<string> => {
  const lines: Line[] = await wire.ask([], line => line.command === 'ERROR')
  return lines.at(-1)?.params[0] ?? ''
}

const starters = { ergo: startErgo, inspircd: startInspircd } as const
const available = await availableServers()

for (const kind of ['ergo', 'inspircd'] as const) {
  const reason = available.find(server => server.kind === kind)?.reason ?? null
  describe(`accounts on ${kind}`, { skip: reason ?? false }, () => {
    let server: TestServer
    let accounts: ManagedAccounts

    before(async () => {
      server = await starters[kind](null)
      assert.ok(server.control)
      accounts = accountsFor(server.control)
    })
    after(async () => {
      accounts.close()
      await server.stop()
    })

    describe('act by act', { concurrency: 12 }, () => {
      test('an account that was made can log in; no other password, no other account', async () => {
        await accounts.create('alice', password('alice'))
        const wire = await login(server, 'alice')
        assert.ok(wire)
        wire.close()
        assert.equal(await login(server, 'alice', 'another-password'), null)
        assert.equal(await login(server, 'nobody'), null)
      })

      test('an existing account is never taken over; making it again with its own password is harmless', async () => {
        await accounts.create('bob', password('bob'))
        await accounts.create('bob', password('bob'))
        await assert.rejects(accounts.create('bob', 'somebody-elses-password'), refused('account-exists'))
        await assert.rejects(accounts.create('BOB', 'somebody-elses-password'), refused('account-exists'))
        assert.equal(await accounts.verify('bob', password('bob')), true)
      })

      test('after a new password the old one is refused', async () => {
        await accounts.create('carol', password('carol'))
        await accounts.setPassword('carol', 'a-new-password')
        await accounts.setPassword('carol', 'a-new-password')
        assert.equal(await accounts.verify('carol', password('carol')), false)
        assert.equal(await accounts.verify('carol', 'a-new-password'), true)
      })

      test('suspension ends every session with its reason within a second', async () => {
        await accounts.create('dave', password('dave'))
        const wire = await login(server, 'dave')
        assert.ok(wire)
        assert.deepEqual(await accounts.get('dave'), { account: 'dave', suspended: false, sessions: 1 })
        const said = farewell(wire)
        const sinceMs = performance.now()
        await accounts.suspend('dave', 'left the team\r\nQUIT')
        assert.match(await said, /left the team/)
        assert.ok(performance.now() - sinceMs < 1000)
        await accounts.suspend('dave', 'left the team')
        assert.deepEqual(await accounts.get('dave'), { account: 'dave', suspended: true, sessions: 0 })
        assert.equal(await login(server, 'dave'), null)
      })

      test('a login that was not complete is ended with the rest, whatever nick it took', async () => {
        await accounts.create('olive', password('olive'))
        const wires = [await login(server, 'olive')]
        for (const first of [[], ['NICK x[y', 'USER te[st 0 * :test']]) {
          const wire = await Wire.open({ host: server.host, port: server.port })
          assert.ok(await authenticate(wire, 'olive', password('olive')))
          // A server answers whatever it takes for nonsense before a login is complete; that comes after all the rest.
          await wire.ask([...first, 'WHOIS olive'], line => line.command === '451')
          wires.push(wire)
        }
        const said = Promise.all(wires.map(wire => farewell(wire as Wire)))
        const ended = await accounts.suspend('olive', 'left the team')
        assert.ok(ended >= 1, `${ended} ended`)
        for (const reason of await said) assert.match(reason, /left the team|Killed|suspended/i)
        assert.equal((await accounts.get('olive'))?.sessions, 0)
      })

      test('ended sessions are counted and may come back', async () => {
        await accounts.create('grace', password('grace'))
        assert.equal(await accounts.endSessions('grace', 'restart'), 0)
        const wire = await login(server, 'grace')
        assert.ok(wire)
        const said = farewell(wire)
        assert.equal(await accounts.endSessions('grace', 'restart'), 1)
        assert.match(await said, /restart/)
        ;(await login(server, 'grace'))?.close()
      })

      test('a deleted account is gone with its sessions, and its name is free again', async () => {
        await accounts.create('heidi', password('heidi'))
        const wire = await login(server, 'heidi')
        assert.ok(wire)
        const said = farewell(wire)
        await accounts.drop('heidi')
        await said
        await accounts.drop('heidi')
        assert.equal(await accounts.get('heidi'), null)
        assert.equal(await login(server, 'heidi'), null)
        await accounts.create('heidi', 'another-password')
        assert.equal(await accounts.verify('heidi', 'another-password'), true)
      })

      test('a certificate logs in over TLS without a password', async () => {
        await accounts.create('ivan', password('ivan'))
        const own = await makeCertificate(['ivan'])
        const fingerprint = fingerprintOf(own.certificatePem)
        await accounts.addCertificate('ivan', fingerprint.toUpperCase().replaceAll(/(..)(?=.)/g, '$1:'))
        await accounts.addCertificate('ivan', fingerprint)
        const socket = connect({
          ...server.control?.tls,
          cert: own.certificatePem,
          key: own.keyPem,
          rejectUnauthorized: false,
        })
        await once(socket, 'secureConnect')
        assert.equal(pinned(socket), server.control?.tls.fingerprint)
        assert.equal(await external(socket), true)
        socket.destroy()
      })

      test('what does not exist is said so', async () => {
        await assert.rejects(accounts.setPassword('nobody', 'a-password'), refused('account-unknown'))
        await assert.rejects(accounts.suspend('nobody', 'x'), refused('account-unknown'))
        await assert.rejects(accounts.restore('nobody'), refused('account-unknown'))
        await assert.rejects(accounts.addCertificate('nobody', 'ab'.repeat(32)), refused('account-unknown'))
        assert.equal(await accounts.get('nobody'), null)
      })

      test('names and passwords that could be something else are refused before anything is sent', async () => {
        const names = [
          '',
          '-a',
          'a b',
          'a\r\nQUIT',
          'a\0',
          'a/b',
          'a,b',
          '#a',
          'Guest',
          'guest-1',
          'Guest12345',
          'NickServ',
          'é',
          'x'.repeat(33),
          ':a',
          '*',
        ]
        for (const name of names) await assert.rejects(accounts.create(name, password('x')), refused('usage'), name)
        for (const secret of ['', 'abcd', 'with space', 'line\nbreak', 'nul\0nul', ':colon', 'x'.repeat(200)])
          await assert.rejects(accounts.create('judy', secret), refused('usage'), secret)
        await assert.rejects(accounts.addCertificate('judy', 'zz'), refused('usage'))
        assert.equal(await accounts.get('judy'), null)
      })

      test('many acts at once come one after the other', async () => {
        const names = Array.from({ length: 10 }, (_, index) => `many${index}`)
        await Promise.all(names.map(name => accounts.create(name, password(name))))
        assert.deepEqual(await Promise.all(names.map(async name => (await accounts.get(name))?.account)), names)
      })
    })

    test('who tried to log out, and changed the nick, is ended all the same', async () => {
      for (const act of ['suspend', 'endSessions', 'drop'] as const) {
        const name = `peggy${act}`
        await accounts.create(name, password(name))
        const wire = await login(server, name)
        assert.ok(wire)
        await askServer(wire, ['PRIVMSG NickServ :LOGOUT', 'NICK nobody-at-all'])
        const said = farewell(wire)
        if (act === 'drop') await accounts.drop(name)
        else assert.equal(await accounts[act](name, 'out with you'), 1)
        assert.notEqual(await said, '')
      }
    })

    test('a user can not change what opens an account by the services themselves', async () => {
      await accounts.create('rupert', password('rupert'))
      const wire = await login(server, 'rupert')
      assert.ok(wire)
      for (const words of [
        `CERT ADD ${'ab'.repeat(32)}`,
        `CERT ADD rupert ${'ab'.repeat(32)}`,
        'SET PASSWORD a-password-of-mine',
        'SASET PASSWORD rupert a-password-of-mine',
        'DROP rupert',
        'UNREGISTER rupert',
        `GROUP rupert ${password('rupert')}`,
        'LOGOUT',
        'LOGOUT rupert',
        `IDENTIFY rupert ${password('rupert')}`,
        `PASSWD ${password('rupert')} a-password-of-mine a-password-of-mine`,
      ])
        await askServer(wire, [`PRIVMSG NickServ :${words}`])
      assert.deepEqual(await accounts.certificates('rupert'), [])
      assert.ok(await accounts.verify('rupert', password('rupert')))
      assert.deepEqual(await accounts.get('rupert'), { account: 'rupert', suspended: false, sessions: 1 })
      wire.close()
    })

    test('an account that its holder deleted is not listed, is nobody’s, and can be made anew', async () => {
      await accounts.create('trudy', password('trudy'))
      await accounts.create('ursula', password('ursula'))
      await accounts.suspend('ursula', 'for now')
      const wire = await login(server, 'trudy')
      assert.ok(wire)
      const asked = await askServer(wire, ['PRIVMSG NickServ :UNREGISTER trudy'])
      const code = /UNREGISTER trudy (\S+)/.exec(asked.map(({ params }) => params.at(-1)).join('\n'))?.[1] ?? 'none'
      // Ergo has no switch against that.
      await wire.ask([`PRIVMSG NickServ :UNREGISTER trudy ${code}`, 'PING end'], line =>
        /^(PONG|ERROR)$/.test(line.command),
      )
      wire.close()
      const all = (await accounts.list?.()) ?? []
      assert.equal(all.includes('trudy'), kind === 'inspircd')
      assert.ok(all.includes('ursula'), 'who is suspended is listed')
      if (kind === 'inspircd') return
      assert.equal(await accounts.get('trudy'), null)
      assert.equal(await login(server, 'trudy'), null)
      await accounts.create('trudy', 'a-new-password')
      assert.equal(await accounts.verify('trudy', 'a-new-password'), true)
    })

    test('all accounts and all certificates of one are listed', async () => {
      await accounts.create('sybil', password('sybil'))
      const prints = ['ab', 'cd'].map(two => two.repeat(32))
      for (const print of prints) await accounts.addCertificate('sybil', print)
      assert.deepEqual([...(await accounts.certificates('sybil'))].sort(), prints)
      for (const print of prints) await accounts.removeCertificate('sybil', print)
      assert.deepEqual(await accounts.certificates('sybil'), [])
      await assert.rejects(accounts.certificates('nobody'), refused('account-unknown'))
      const all = (await accounts.list?.()) ?? []
      for (const name of ['sybil', 'owner', 'chanop-control', 'oracle']) assert.ok(all.includes(name), all.join())
      assert.ok(!all.includes('nobody'))
    })

    test('a control login that is refused fails what was asked, and is known until it is taken again', async () => {
      assert.ok(server.control)
      const { oper, accounts: secrets } = server.control
      const own = secrets[oper.name] ?? ''
      let changes = 0
      const wrong = { ...server.control, accounts: { ...secrets, [oper.name]: 'another-password-than-ours' } }
      const others = accountsFor(wrong, { changed: () => (changes += 1) })
      assert.equal(others.fault, null)
      await assert.rejects(
        others.endSessions('sybil', 'x').then(() => others.suspend('sybil', 'x')),
        refused('network-refused'),
      )
      assert.match(others.fault ?? '', /refuses the control account/)
      assert.equal(changes, 1)
      others.close()
      assert.ok(await accounts.verify(oper.name, own))
      assert.ok(accounts.reserved?.has(oper.name) && accounts.reserved.has('oracle') && !accounts.reserved.has('sybil'))
    })

    test('who guesses on a connection is cut off, and a fleet that logs in meanwhile is not', async () => {
      await accounts.create('victor', password('victor'))
      const names = Array.from({ length: 60 }, (_, index) => `fleet${index}`)
      for (const name of names) await accounts.create(name, password(name))
      const wire = await Wire.open({ host: server.host, port: server.port })
      const guess = (secret: string): Promise<boolean> => authenticate(wire, 'victor', secret)
      const guessing = (async () => {
        for (let tries = 0; tries < 40; tries += 1)
          if (wire.closed || (await guess(`guess-${tries}`).catch(() => false))) break
        return !wire.closed && (await guess(password('victor')).catch(() => false))
      })()
      const fleet = await Promise.all(names.map(name => login(server, name)))
      assert.ok(fleet.every(one => one !== null))
      assert.equal(await guessing, false)
      for (const one of [...fleet, wire]) one?.close()
      ;(await login(server, 'victor'))?.close()
    })

    test('what was done holds after kill -9 of everything', async () => {
      await accounts.create('erin', password('erin'))
      await accounts.setPassword('erin', 'a-new-password')
      await accounts.create('frank', password('frank'))
      await accounts.suspend('frank', 'no more')
      await server.kill('SIGKILL')
      await server.restart()
      assert.equal(await accounts.verify('erin', 'a-new-password'), true)
      assert.equal(await accounts.verify('erin', password('erin')), false)
      assert.equal(await accounts.verify('frank', password('frank')), false)
      assert.equal((await accounts.get('frank'))?.suspended, true)
      await accounts.restore('frank')
      await accounts.restore('frank')
      const wire = await login(server, 'frank')
      assert.ok(wire)
      wire.close()
    })
  })
}

const pinned = (socket: TLSSocket): string =>
  socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase()

/** SASL EXTERNAL up to its numeric. */
async function external(socket: TLSSocket): Promise<boolean> {
  socket.setEncoding('utf8').write('CAP REQ :sasl\r\nAUTHENTICATE EXTERNAL\r\n')
  let printed = ''
  for await (const chunk of socket) {
    printed += chunk as string
    if (/AUTHENTICATE :?\+\r\n/.test(printed)) {
      printed = ''
      socket.write('AUTHENTICATE +\r\n')
    }
    const numeric = / (90[3-8]) /.exec(printed)
    if (numeric) return numeric[1] === '903'
  }
  return false
}
