import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Line } from '../../../adapters/irc/line.ts'
import { availableServers, startErgo, startInspircd, type TestServer } from '../../../adapters/irc/server/testing.ts'
import { agentNamed } from '../../../core/agent.ts'
import { House } from '../../../test/house.ts'
import { Client } from '../../../test/irc.ts'
import { runBridge } from '../../bridge/run.ts'
import { runAdmin } from '../admin.ts'

interface Login {
  readonly account: string
  readonly password: string
}

/** A client with what it has heard, so that a line that came early is not missed. */
class Talker {
  readonly heard: Line[] = []
  readonly client: Client
  readonly #closed = Promise.withResolvers<number>()
  #look: () => void = () => undefined

  constructor(server: TestServer, login: Login) {
    this.client = new Client(
      { host: server.host, port: server.port, ...login },
      {
        line: line => {
          this.heard.push(line)
          this.#look()
        },
        closed: () => this.#closed.resolve(Date.now()),
      },
    )
  }

  /** When the server ended the connection, Unix ms. */
  get closed(): Promise<number> {
    return this.#closed.promise
  }

  say(to: string, words: string): number {
    const from = this.heard.length
    this.client.write(`PRIVMSG ${to} :${words}`)
    return from
  }

  async hears(pattern: RegExp, from = 0, deadlineMs = 8000): Promise<string> {
    const found = (): string | undefined =>
      this.heard
        .slice(from)
        .map(line => `${line.command} ${line.params.join(' ')} from ${line.nick}`)
        .find(text => pattern.test(text))
    return new Promise((resolve, reject) => {
      const fail = (): void =>
        reject(new Error(`${pattern} was not heard in:\n${this.heard.map(line => line.params.join(' ')).join('\n')}`))
      const timer = setTimeout(fail, deadlineMs)
      this.#look = () => {
        const text = found()
        if (text === undefined) return
        clearTimeout(timer)
        resolve(text)
      }
      this.#look()
    })
  }

  async asks(words: string, answer: RegExp): Promise<string> {
    return this.hears(answer, this.say('#general', words))
  }
}

const loginOf = (text: string): Login => {
  const found = /account=(\S+) password=(\S+) server=ircs:\/\/127\.0\.0\.1:\d+ fingerprint=[0-9a-f]{64}/.exec(text)
  assert.ok(found, text)
  return { account: found[1] as string, password: found[2] as string }
}

const starters = { ergo: startErgo, inspircd: startInspircd } as const
const available = await availableServers()

for (const kind of ['ergo', 'inspircd'] as const) {
  const reason = available.find(server => server.kind === kind)?.reason ?? null
  describe(`agents on ${kind}`, { skip: reason ?? false }, () => {
    let server: TestServer
    let house: House
    let owner: Talker
    const closing: (() => void)[] = []

    const enter = async (login: Login): Promise<Talker> => {
      const talker = new Talker(server, login)
      await talker.client.login()
      talker.client.write('JOIN #general')
      await talker.hears(/^366 .*#general/)
      closing.push(() => talker.client.close())
      return talker
    }
    /** Once the bots are there too: what was said before is only backfill to them. */
    const enterOwner = async (): Promise<Talker> => {
      assert.ok(server.owner)
      const talker = await enter(server.owner)
      await talker.hears(/^353 .*[@+~ ]bridge|^JOIN #general.*from bridge/, 0, 20_000)
      return talker
    }
    const refused = async (login: Login): Promise<void> => {
      const talker = new Talker(server, login)
      await assert.rejects(talker.client.login())
      talker.client.close()
    }
    const move = async (): Promise<void> => {
      const { control, dataDir } = server
      assert.ok(control)
      const listen = `{ plain: '${server.host}:${server.port}', tls: '${control.tls.host}:${control.tls.port}' }`
      const config = `
owner: irc:owner
networks:
  irc: { kind: irc, managed: true, listen: ${listen}, channels: ['#general', '#ops', '#other'] }
rooms:
  ops: { places: ['irc:#ops'] }
`
      house = new House({ after: () => undefined }, { dataDir, config })
      await house.run('bridge', runBridge)
      await house.run('admin', runAdmin)
    }

    before(async () => {
      server = await starters[kind](null)
      await move()
      owner = await enterOwner()
      await owner.asks('!rooms', /PRIVMSG #general .*ops/)
    })
    after(async () => {
      for (const close of closing) close()
      await house.close()
      await server.stop()
    })

    test('register, login, rotate, revoke: each holds within a second', async () => {
      const from = owner.heard.length
      await owner.asks('!register worker-1 for=30d', /PRIVMSG #general .*worker-1 is registered as worker/)
      const login = loginOf(await owner.hears(/PRIVMSG owner account=worker-1/, from))
      assert.ok(
        !owner.heard.some(line => line.params[0] === '#general' && line.params.join(' ').includes(login.password)),
      )
      const agent = await enter(login)
      agent.say('#general', 'I am here')
      await owner.hears(/I am here/, from)

      let beganMs = Date.now()
      const rotating = owner.heard.length
      owner.say('#general', '!rotate worker-1')
      const endedMs = (await agent.closed) - beganMs
      const next = loginOf(await owner.hears(/PRIVMSG owner account=worker-1/, rotating))
      assert.notEqual(next.password, login.password)
      await refused(login)
      assert.ok(endedMs < 1000, `the session ended after ${endedMs} ms`)

      const again = await enter(next)
      beganMs = Date.now()
      owner.say('#general', '!revoke worker-1 it leaked its key')
      const revokedMs = (await again.closed) - beganMs
      await again.hears(/ERROR .*it leaked its key/)
      assert.ok(revokedMs < 1000, `disconnected after ${revokedMs} ms`)
      await refused(next)
      await owner.hears(/worker-1 is revoked and disconnected/, rotating)

      await server.kill('SIGKILL')
      await house.close()
      await server.restart()
      await move()
      await refused(next)
      assert.equal((await house.ledger.read(db => agentNamed(db, 'worker-1')))?.state, 'revoked')
      owner = await enterOwner()
      await owner.asks('!restore worker-1', /worker-1 is restored/)
      const back = await enter(next)
      assert.ok(back.client.open)
    })
  })
}
