import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { LoginLock } from '../../../core/adapter.ts'
import { accountsFor, type ManagedAccounts } from '../accounts/index.ts'
import { askServer, Wire } from '../accounts/session.ts'
import { guessOnce, login, password } from '../accounts/testing.ts'
import { availableServers, startErgo, startInspircd, type TestServer } from '../server/testing.ts'
import { watchLocks } from './protocol.ts'

const starters = { ergo: startErgo, inspircd: startInspircd } as const
const available = await availableServers()

for (const kind of ['ergo', 'inspircd'] as const) {
  const reason = available.find(server => server.kind === kind)?.reason ?? null
  describe(`guesses on ${kind}`, { skip: reason ?? false, concurrency: 4 }, () => {
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

    test('guesses are counted across connections: the pair is locked, nobody else is', async () => {
      for (const name of ['walter', 'wendy']) await accounts.create(name, password(name))
      const told: (readonly LoginLock[])[] = []
      const watching = new AbortController()
      const guard = server.control?.logins ?? ''
      const watched = watchLocks(guard, locks => told.push(locks), watching.signal)
      for (let tries = 0; tries < 5; tries += 1) assert.equal(await login(server, 'Walter', `guess-${tries}`), null)
      // The right one is refused too, by every connection; another account's is not.
      for (const name of ['walter', 'WALTER']) assert.equal(await login(server, name, password('walter')), null)
      ;(await login(server, 'wendy'))?.close()
      assert.ok(await accounts.verify('walter', password('walter')))
      const locks = told.at(-1)?.filter(({ account }) => account === 'walter')
      assert.equal(locks?.length, 1)
      assert.deepEqual([locks[0]?.address, locks[0]?.wrong], ['127.0.0.1', 5])
      assert.equal(await accounts.unlock?.('walter'), 1)
      const again = await login(server, 'walter')
      assert.ok(again)
      again.close()
      assert.ok(!told.at(-1)?.some(({ account }) => account === 'walter'))
      watching.abort()
      await watched
    })

    test('many guesses at once are no more guesses, and many right ones at once are let in', async () => {
      await accounts.create('xavier', password('xavier'))
      const many = await Promise.all(Array.from({ length: 12 }, () => guessOnce(server, 'xavier', password('xavier'))))
      assert.deepEqual(many, Array(12).fill(true))
      const guesses = Array.from({ length: 12 }, (_, index) => guessOnce(server, 'xavier', `guess-${index}`))
      assert.deepEqual(await Promise.all(guesses), Array(12).fill(false))
      assert.equal(await guessOnce(server, 'xavier', password('xavier')), false)
      assert.equal(await accounts.unlock?.('xavier'), 1)
    })

    test('a new password lifts what guesses at the old one locked', async () => {
      await accounts.create('yves', password('yves'))
      for (let tries = 0; tries < 6; tries += 1) await guessOnce(server, 'yves', `guess-${tries}`)
      await accounts.setPassword('yves', 'a-new-password')
      assert.equal(await guessOnce(server, 'yves', 'a-new-password'), true)
    })

    test('a login that has another piece behind it is refused, and counted', { skip: kind === 'ergo' }, async () => {
      await accounts.create('vera', password('vera'))
      for (let tries = 0; tries < 6; tries += 1) {
        const wire = await Wire.open({ host: server.host, port: server.port })
        await wire.ask(['CAP REQ :sasl'], line => line.command === 'CAP')
        const words = `\0vera\0${password('vera')}`
        const piece = Buffer.from(`${'x'.repeat(300 - words.length)}${words}`).toString('base64')
        assert.equal(piece.length, 400)
        await wire.ask(['AUTHENTICATE PLAIN'], line => line.command === 'AUTHENTICATE')
        const answer = await wire.ask([`AUTHENTICATE ${piece}`], line => /^90[2-8]$/.test(line.command))
        assert.equal(answer.at(-1)?.command, '904')
        wire.close()
      }
      assert.equal(await guessOnce(server, 'vera', password('vera')), false)
      assert.equal(await accounts.unlock?.('vera'), 1)
    })

    test('no other way in goes by without being counted', async () => {
      await accounts.create('zelda', password('zelda'))
      await accounts.create('mallory', password('mallory'))
      const wire = await login(server, 'mallory')
      assert.ok(wire)
      // RECOVER with the right password takes nobody's nick.
      const victim = await login(server, 'zelda')
      assert.ok(victim)
      await askServer(wire, [
        `PRIVMSG NickServ :\x02RECOVER\x02  zelda ${password('zelda')}`,
        `NS RECOVER zelda ${password('zelda')}`,
      ])
      assert.equal((await accounts.get('zelda'))?.sessions, 1)
      assert.equal(victim.closed, false)
      for (const one of [wire, victim]) one.close()
      const scram = await Wire.open({ host: server.host, port: server.port })
      await scram.ask(['CAP REQ :sasl'], line => line.command === 'CAP')
      const first = Buffer.from('n,,n=zelda,r=0123456789abcdef').toString('base64')
      const said = await scram.ask(
        ['AUTHENTICATE SCRAM-SHA-256', `AUTHENTICATE ${first}`],
        line => line.command === '904',
      )
      assert.ok(said.length > 0)
      scram.close()
    })
  })
}
