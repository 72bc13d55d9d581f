import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { availableServers, startErgo, startInspircd, type TestServer } from '../../../adapters/irc/server/testing.ts'
import { Guest } from '../../../adapters/irc/testing/trial.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { AgentSocket } from '../../../test/agent-socket.ts'
import { House } from '../../../test/house.ts'
import { until } from '../../../test/instance.ts'
import { runBridge } from '../../bridge/run.ts'
import { runAdmin } from '../admin.ts'
import { enrol } from './testing.ts'

const starters = { ergo: startErgo, inspircd: startInspircd } as const
const count = 20
const names = Array.from({ length: count }, (_, n) => `worker-${String(n + 1).padStart(3, '0')}`)

const configOf = ({ host, port, control }: TestServer): string => `
owner: irc:owner
networks:
  irc: { kind: irc, managed: true, listen: { plain: '${host}:${port}', tls: '${control?.tls.host}:${control?.tls.port}' }, channels: ['#general', '#ops'] }
rooms:
  general: { places: ['irc:#general'], open: true }
  ops: { places: ['irc:#ops'] }
commands: { perMinute: 6000, burst: 1000 }
fleet: { answerSeconds: 3, stopSeconds: 2, alertSeconds: 1, perPersonPerMinute: 600, perRoomPerMinute: 600 }
`

for (const { kind, reason } of await availableServers()) {
  if (kind === 'ngircd') continue
  describe(`a fleet on ${kind}`, { skip: reason ?? false, timeout: 120_000 }, () => {
    let server: TestServer
    let house: House
    let owner: Guest
    const agents: AgentSocket[] = []
    const passwords = new Map<string, string>()
    let mute = ''

    const hears = (pattern: RegExp, from: number): Promise<string> =>
      owner
        .wait(
          line =>
            owner.lines.indexOf(line) >= from &&
            line.command === 'PRIVMSG' &&
            line.nick === 'admin' &&
            pattern.test(line.params.at(-1) ?? ''),
          String(pattern),
          20_000,
        )
        .then(line => line.params.at(-1) ?? '')
    const say = (words: string, channel = '#general'): number => {
      const from = owner.lines.length
      owner.say(`PRIVMSG ${channel} :${words}`)
      return from
    }
    const agent = (account: string): AgentSocket => {
      const login = { host: server.host, port: server.port, account, password: passwords.get(account) ?? '' }
      const answer = (words: string): string | null =>
        account === mute ? null : words === 'stop' ? 'stopped' : `pong ${words}`
      return new AgentSocket({ login, channel: '#general', answer })
    }
    /** The owner, once the bots are there too. */
    const enter = async (): Promise<Guest> => {
      const login = server.owner ?? { account: 'owner', password: '' }
      const guest = await Guest.join(
        { host: server.host, port: server.port, nick: 'owner', account: login },
        '#general',
      )
      // A closed room lets in whom admin put on its list: a moment after it began.
      await until('the door of #ops to let the owner in', 20_000, async () => {
        const from = guest.lines.length
        guest.say('JOIN #ops')
        const answers = ['366', '473', '477']
        const isAnswer = (line: { command: string; params: readonly string[] }): boolean =>
          answers.includes(line.command) && line.params[1] === '#ops'
        const answer = await guest.wait(line => guest.lines.indexOf(line) >= from && isAnswer(line), 'JOIN #ops')
        return answer.command === '366'
      })
      await until('the bots to be there', 20_000, async () => {
        guest.say('NAMES #general')
        await guest.wait(line => line.command === '366', 'NAMES')
        const listed = guest.lines.filter(line => line.command === '353').map(line => line.params.at(-1) ?? '')
        return ['bridge', 'admin'].every(bot => listed.some(line => line.split(/[ @+~&%]/).includes(bot)))
      })
      return guest
    }
    const everybody = (many: number): Promise<unknown> =>
      until(`${many} members`, 20_000, () =>
        house.ledger.read(db => {
          const rows = sql(
            db,
            "SELECT count(DISTINCT user) AS n FROM member WHERE user LIKE 'worker-%' AND verified = 1",
          ).get()
          return Number(rows?.['n']) === many
        }),
      )

    before(async () => {
      server = await starters[kind](null, { channels: ['#general', '#ops'] })
      house = new House({ after: () => undefined }, { dataDir: server.dataDir, config: configOf(server) })
      for (const name of names) passwords.set(name, await server.account(name))
      // Half of them are there before the bots are: only the roster can tell.
      agents.push(...names.map(agent))
      for (const early of agents.slice(0, count / 2)) void early.run()
      await Promise.all(agents.slice(0, count / 2).map(each => each.entered()))
      await house.run('bridge', runBridge)
      await house.run('admin', runAdmin)
      await house.ledger.write(db => {
        for (const name of names) enrol(db, name, { network: 'irc' as never })
      })
      for (const late of agents.slice(count / 2)) void late.run()
      await Promise.all(agents.map(each => each.entered()))
      owner = await enter()
      await everybody(count)
    })
    after(async () => {
      for (const each of agents) each.stop()
      owner?.leave()
      await house?.close()
      await server?.stop()
    })

    it('is woken by one mention, each agent once, and all answers are counted', async () => {
      for (const each of agents) each.named.length = 0
      const from = say('@all ping')
      await hears(new RegExp(`^${count} of ${count} answered$`), from)
      for (const each of agents) assert.equal(each.named.length, 1, each.name)
      assert.match(agents[0]?.named[0] ?? '', /^worker-001, .*: owner: ping$/)
    })

    it('names who was silent when the time is over', async () => {
      mute = 'worker-007'
      const from = say('@workers -worker-001: status')
      await hears(new RegExp(`^${count - 2} of ${count - 1} answered; silent: worker-007$`), from)
      mute = ''
    })

    it('stops, and counts who obeyed', async () => {
      const from = say('!stop @all')
      await hears(new RegExp(`^stop: ${count} of ${count} obeyed in \\d+m?s$`), from)
      const told = owner.lines.find(line => /^worker-001, .*: stop$/.test(line.params.at(-1) ?? ''))
      assert.ok(told && '+chanop/stop' in told.tags, 'the line has the tag for programs')
      assert.equal(told.tags['account'], 'admin')
    })

    it('knows who is there; who is down is told, and who is back', async () => {
      await hears(new RegExp(`^${count} online$`), say('!who'))
      const from = owner.lines.length
      const gone = agents[4]
      gone?.stop()
      await hears(/^worker-005 is down for \d+s; last seen in #general$/, from)
      const again = agent('worker-005')
      agents[4] = again
      void again.run()
      await hears(/^worker-005 is back after \d+s$/, from)
    })

    it('comes back with its server: nobody is lost, and nobody was down', async () => {
      await server.kill('SIGKILL')
      await server.restart()
      await Promise.all(agents.map(each => each.entered()))
      owner.leave()
      owner = await enter()
      const asked = say('@all ping')
      await hears(new RegExp(`^${count} of ${count} answered$`), asked)
      const alerts = await house.ledger.read(db =>
        sql(db, "SELECT count(*) AS n FROM event WHERE key LIKE 'irc:say:fleet.alert.%'").get(),
      )
      assert.equal(alerts?.['n'], 2)
    })
  })
}
