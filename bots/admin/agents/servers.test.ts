import assert from 'node:assert/strict'
import { on } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:tls'
import { fingerprintOf, makeCertificate } from '../../../adapters/irc/server/certificate.ts'
import { availableServers, startErgo, startInspircd, type TestServer } from '../../../adapters/irc/server/testing.ts'
import type { Line } from '../../../adapters/irc/text/line.ts'
import { agentNamed } from '../../../core/ledger/agents/agents.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
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
  async closed(deadlineMs = 8000): Promise<number> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new Error(`still connected after ${deadlineMs} ms`)), deadlineMs)
    return Promise.race([this.#closed.promise, late.promise]).finally(() => clearTimeout(timer))
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

/** Whether a login by SASL EXTERNAL with this certificate is let in. */
async function byCertificate(server: TestServer, as: { cert: string; key: string }): Promise<boolean> {
  const { control } = server
  assert.ok(control)
  const { host, port } = control.tls
  const socket = connect({ host, port, cert: as.cert, key: as.key, rejectUnauthorized: false })
  socket.setEncoding('utf8').write('CAP REQ :sasl\r\nAUTHENTICATE EXTERNAL\r\n')
  let text = ''
  try {
    for await (const [chunk] of on(socket, 'data', { close: ['close'] })) {
      text += chunk as string
      if (/AUTHENTICATE :?\+\r\n/.test(text)) {
        text = ''
        socket.write('AUTHENTICATE +\r\n')
      }
      const numeric = / (90[3-8]) /.exec(text)?.[1]
      if (numeric) return numeric === '903'
    }
    return false
  } finally {
    socket.destroy()
  }
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
  general: { places: ['irc:#general'], open: true }
  other: { places: ['irc:#other'], open: true }
  ops: { places: ['irc:#ops'] }
`
      house = new House({ after: () => undefined }, { dataDir, config })
      await house.run('bridge', runBridge)
      await house.run('admin', runAdmin)
    }

    before(async () => {
      server = await starters[kind](null, { freeChannels: false })
      await move()
      owner = await enterOwner()
      await owner.asks('!version', /PRIVMSG #general .*chanop \d/)
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
      const endedMs = (await agent.closed()) - beganMs
      const next = loginOf(await owner.hears(/PRIVMSG owner account=worker-1/, rotating))
      assert.notEqual(next.password, login.password)
      await refused(login)
      assert.ok(endedMs < 1000, `the session ended after ${endedMs} ms`)

      const again = await enter(next)
      beganMs = Date.now()
      owner.say('#general', '!revoke worker-1 it leaked its key')
      const revokedMs = (await again.closed()) - beganMs
      await again.hears(/ERROR .*it leaked its key/)
      assert.ok(revokedMs < 1000, `disconnected after ${revokedMs} ms`)
      await refused(next)
      await owner.hears(/worker-1 is revoked and disconnected .*: suspended, 1 session ended/, rotating)

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

    test('what an agent may is its account\u2019s: no look-alike, tag, relay or notice has it', async () => {
      await owner.asks('!register boss permissions=agent.list', /boss is registered/)
      const boss = await enter(loginOf(await owner.hears(/account=boss/)))
      const mallory = await enter({ account: 'mallory', password: await server.account('mallory') })
      const before = owner.heard.length
      await boss.asks('!agents', /\d agents?: /)
      await owner.hears(/\d agents?: /, before)
      const from = owner.heard.length
      mallory.client.write('@+account=boss PRIVMSG #general :!agents')
      mallory.client.write('@account=boss PRIVMSG #general :!agents')
      mallory.say('#general', '[boss] !agents')
      mallory.say('#general', '<boss> !agents')
      mallory.client.write('RELAYMSG #general boss/x :!agents')
      boss.client.write('NOTICE #general :!agents')
      boss.client.write('QUIT :gone')
      await boss.closed()
      mallory.client.write('NICK boss')
      mallory.say('#general', '!agents')
      mallory.client.write('NICK B0ss')
      mallory.say('#general', '!agents')
      await mallory.hears(/agent list needs member/)
      await owner.asks('!version', /PRIVMSG #general .*\d+\.\d+\.\d+/)
      const answers = owner.heard.slice(from).filter(line => /\d agents?: /.test(line.params.join(' ')))
      assert.deepEqual(answers, [])
      const said = await house.ledger.read(db => sql(db, "SELECT result FROM audit WHERE command = 'agent list'").all())
      assert.ok(
        said.some(row => /ignored: notice/.test(String(row['result']))),
        JSON.stringify(said),
      )
    })

    test('outside its channels an agent is put out; its certificate opens its account until it is taken away', async () => {
      await owner.asks('!register keen channels=#general,#ops', /keen is registered/)
      const login = loginOf(await owner.hears(/account=keen/))
      const keen = await enter(login)
      keen.client.write('JOIN #other')
      await keen.hears(/^KICK #other keen the engagement of keen does not name #other/)

      const { certificatePem: cert, keyPem: key } = await makeCertificate(['keen.test'])
      const print = fingerprintOf(cert)
      const opens = (): Promise<boolean> => byCertificate(server, { cert, key })
      assert.equal(await opens(), false)
      await owner.asks(`!agent cert add keen ${print}`, /opens its account/)
      assert.equal(await opens(), true)
      await owner.asks(`!agent cert del keen ${print}`, /is taken away/)
      assert.equal(await opens(), false)
    })

    test('nobody has a channel of their own, where no engagement is held to; the bots make them', async () => {
      await owner.asks('!register lone channels=#general', /lone is registered/)
      const lone = await enter(loginOf(await owner.hears(/account=lone/)))
      for (const channel of ['#nook', '#task-9', '#general2']) {
        const from = lone.heard.length
        lone.client.write(`JOIN ${channel}`)
        await lone.hears(new RegExp(`^(4\\d\\d|FAIL) .*${channel}`), from)
        assert.ok(!lone.heard.some(line => line.command === 'JOIN' && line.params[0] === channel), channel)
      }
      await owner.asks('!channel add #nook', /#nook is kept/)
      await owner.asks('!join #task-9', /in irc:#task-9/)
      owner.client.write('JOIN #nook,#task-9')
      await owner.hears(/^366 .*#nook/)
      await owner.hears(/^366 .*#task-9/)
    })

    test('an account that is there is adopted with its password, never registered over', async () => {
      const password = await server.account('oldbot')
      await owner.asks('!register oldbot', /oldbot is not registered: .*exists/)
      await owner.asks('!adopt oldbot', /oldbot is an agent now/)
      const old = await enter({ account: 'oldbot', password })
      await owner.asks('!agent sessions oldbot', /oldbot: 1 session/)
      await owner.asks('!agent kick oldbot out you go', /oldbot: 1 session ended/)
      await old.hears(/ERROR .*out you go/)
      const asked = await owner.asks('!agent del oldbot', /deletes oldbot/)
      await owner.asks(`!yes ${/!yes (\w+)/.exec(asked)?.[1]}`, /oldbot is deleted/)
      await refused({ account: 'oldbot', password })
      await owner.asks('!register oldbot', /oldbot is registered/)
    })

    test('whoever guesses is locked, which the operators hear once; others are not, and it can be lifted', async () => {
      await owner.asks('!register guessed', /guessed is registered/)
      const login = loginOf(await owner.hears(/account=guessed/))
      owner.client.write('JOIN #ops')
      await owner.hears(/^366 .*#ops/)
      const from = owner.heard.length
      for (let n = 0; n < 7; n += 1) await refused({ account: 'guessed', password: `guess-${n}` })
      await refused(login)
      await owner.hears(/PRIVMSG #ops 5 wrong passwords for guessed from 127\.0\.0\.1: .*!unlock guessed/, from)
      const other = await enter({ account: 'steady', password: await server.account('steady') })
      assert.ok(other.client.open)
      await owner.asks('!unlock guessed', /guessed: 1 lock lifted/)
      await owner.asks('!unlock guessed', /no login of guessed is locked/)
      const agent = await enter(login)
      assert.ok(agent.client.open)
      const said = owner.heard.filter(line => /wrong passwords for guessed/.test(line.params[1] ?? ''))
      assert.equal(said.length, 1)
    })

    test('an agent that says too much is warned, then not heard', async () => {
      await owner.asks('!register loud rate=3/s', /loud is registered/)
      const loud = await enter(loginOf(await owner.hears(/account=loud/)))
      const talk = (): void => [1, 2, 3, 4].forEach(n => void loud.say('#general', `noise ${n}`))
      talk()
      await owner.hears(/PRIVMSG #general .*loud: more than 3 lines in 1s: slow down/)
      talk()
      await owner.hears(/PRIVMSG #general .*loud is muted for a minute/)
      await owner.hears(/^MODE #general \+b m:(R:)?loud/i)
      loud.say('#general', 'not heard')
      await loud.hears(/^404 /)
      const renamed = loud.heard.length
      loud.client.write('NICK quiet')
      loud.say('#general', 'not heard under another name either')
      await loud.hears(/^404 /, renamed)
      assert.ok(!owner.heard.some(line => line.params[1] === 'not heard under another name either'))
    })
  })
}
