import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { availableServers, startErgo, startInspircd, type TestServer } from '../../../adapters/irc/server/testing.ts'
import { Guest } from '../../../adapters/irc/testing/trial.ts'
import type { Line } from '../../../adapters/irc/text/line.ts'
import { deadline, sleep } from '../../../core/retry.ts'
import { House } from '../../../test/house.ts'
import { runBridge } from '../../bridge/run.ts'
import { runAdmin } from '../admin.ts'
import { engage } from './testing.ts'

const config = `
owner: chat:owner
networks:
  chat: { kind: irc, managed: true, channels: ['#general'] }
rooms:
  general: { places: ['chat:#general'], open: true }
  ops: { places: ['chat:#ops'] }
commands: { perMinute: 6000, burst: 1000 }
channels:
  types:
    task-: { modes: '+im', ttl: 3h, join: ['@worker'], greeting: 'Welcome {nick}, work in {channel}' }
`

async function eventually(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = deadline(10_000)
  while (!(await holds())) {
    if (end.aborted) assert.fail(`never came: ${what}`)
    await sleep(50, end)
  }
}

for (const { kind, reason } of await availableServers()) {
  if (kind === 'ngircd') continue
  describe(`channels on ${kind}`, { skip: reason ?? false, timeout: 120_000 }, () => {
    let server: TestServer
    let house: House
    let owner: Guest
    let worker: Guest
    const guests: Guest[] = []
    const closing: (() => Promise<void>)[] = []

    const enter = async (account: string, password: string): Promise<Guest> => {
      const { host, port } = server
      const guest = await Guest.join({ host, port, nick: account, account: { account, password } }, '#general')
      guests.push(guest)
      return guest
    }
    /** Says it and resolves with the first answer of admin that fits and comes after it. */
    const asks = async (words: string, answer: RegExp): Promise<string> => {
      const from = owner.lines.length
      owner.say(`PRIVMSG #general :${words}`)
      const fits = (at: number, text: string): boolean => at >= from && answer.test(text)
      const line = await owner.wait(
        one => one.nick === 'admin' && fits(owner.lines.indexOf(one), one.params.at(-1) ?? ''),
        `an answer to ${words} like ${String(answer)}`,
        20_000,
      )
      return line.params.at(-1) ?? ''
    }
    /** Everybody is back: the bots answer again. */
    const back = async (): Promise<void> => {
      for (let attempt = 0; attempt < 60; attempt++) {
        owner.say('PRIVMSG #general :!version')
        const { length } = owner.lines
        await sleep(250)
        if (owner.lines.slice(Math.max(0, length - 1)).some(line => line.nick === 'admin')) return
      }
      assert.fail('admin never answered')
    }

    before(async () => {
      server = await (kind === 'ergo' ? startErgo : startInspircd)(null, { channels: ['#general'] })
      house = new House({ after: done => closing.push(async () => done()) }, { config, dataDir: server.dataDir })
      await house.run('bridge', runBridge)
      await house.run('admin', runAdmin)
      owner = await enter('owner', server.owner?.password ?? '')
      worker = await enter('worker-1', await server.account('worker-1'))
      await engage(house, 'worker-1')
      await back()
    })
    after(async () => {
      for (const guest of guests) guest.leave()
      for (const close of closing) await close()
      await server?.stop()
    })

    it('makes one by its type, brings its agents, and tells them what to do there', async () => {
      await asks('!channel add #task-1 fix the pump', /^chat:#task-1 is kept: type task-, \+im, ends in 3h$/)
      const topic = await worker.wait(line => line.command === '332' && line.params[1] === '#task-1', 'the topic')
      assert.equal(topic.params.at(-1), 'fix the pump')
      const told = await worker.wait(line => line.command === 'NOTICE' && line.nick === 'admin', 'the instructions')
      assert.equal(told.params.at(-1), 'Welcome worker-1, work in #task-1')
      await asks('!channel members #task-1', /1 agent: worker-1 \(worker\)/)
    })

    it('has it again after the server was killed, with modes and topic, and speaks there', async () => {
      await asks('!channel topic #task-1 fix both pumps', /^chat:#task-1: fix both pumps$/)
      for (const guest of guests) guest.leave()
      // InspIRCd writes kept channels down once a second.
      await sleep(1500)
      await server.kill('SIGKILL')
      await server.restart()
      owner = await enter('owner', server.owner?.password ?? '')
      worker = await enter('worker-1', 'pw-worker-1-0123456789')
      await back()
      await worker.wait(line => line.command === '332' && line.params[1] === '#task-1', 'to be brought again', 20_000)
      worker.say('MODE #task-1')
      const modes = await worker.wait(line => line.command === '324' && line.params[1] === '#task-1', 'its modes')
      assert.match(modes.params[2] ?? '', /(?=.*i)(?=.*m)/)
      const topic = worker.lines.find(line => line.command === '332' && line.params[1] === '#task-1')
      assert.equal(topic?.params.at(-1), 'fix both pumps')
      await asks('!say chat:#task-1 moderated, and yet I speak', /^said in chat:#task-1$/)
      await worker.hears('moderated, and yet I speak')
    })

    /** What the server says to a JOIN: in, or refused. */
    const joining = async (guest: Guest, channel: string): Promise<string> => {
      const from = guest.lines.length
      guest.say(`JOIN ${channel}`)
      const about = (line: Line): boolean => ['366', '473'].includes(line.command) && line.params[1] === channel
      return (await guest.wait(line => guest.lines.indexOf(line) >= from && about(line), `JOIN ${channel}`)).command
    }

    it('lets into a closed room its members alone, in step with roles and engagements', async () => {
      const bob = await enter('bob', await server.account('bob'))
      owner.say('JOIN #ops', 'PRIVMSG #ops :the code is 4711')
      bob.say('LIST')
      await bob.wait(line => line.command === '323', 'the list')
      assert.equal(await joining(bob, '#ops'), '473')
      assert.equal(
        bob.raw.some(line => line.includes('4711') || / 322 .*#ops/.test(line)),
        false,
      )
      await asks('!role grant chat:bob member in=ops', /bob is member in ops$/)
      await eventually(async () => (await joining(bob, '#ops')) === '366', 'bob to be let in')
      await asks('!role revoke chat:bob in=ops', /bob has no role in ops any more$/)
      await bob.wait(line => line.command === 'KICK' && line.params[0] === '#ops', 'bob to be put out')
      assert.equal(await joining(bob, '#ops'), '473')
      assert.equal(await joining(worker, '#ops'), '473', '* is for open rooms')
      await asks('!agent edit worker-1 channels=*,#ops', /worker-1 .* open rooms 1 closed/)
      await eventually(async () => (await joining(worker, '#ops')) === '366', 'the agent to be let in')
      await asks('!agent edit worker-1 channels=*', /worker-1/)
      await worker.wait(line => line.command === 'KICK' && line.params[0] === '#ops', 'the agent to be put out')
      assert.equal(await joining(worker, '#ops'), '473')
    })

    it('keeps a guest out, and puts a member out when their time is over', async () => {
      const gus = await enter('gus', await server.account('gus'))
      await asks('!role grant chat:gus guest', /gus is guest$/)
      assert.equal(await joining(gus, '#ops'), '473')
      await asks('!role grant chat:gus member in=ops for=6s', /gus is member in ops for \ds$/)
      await eventually(async () => (await joining(gus, '#ops')) === '366', 'gus to be let in')
      await gus.wait(line => line.command === 'KICK' && line.params[0] === '#ops', 'gus to be put out', 20_000)
      owner.say('PRIVMSG #ops :after that')
      assert.equal(await joining(gus, '#ops'), '473')
      assert.equal(
        gus.raw.some(line => line.includes('after that')),
        false,
      )
    })

    it('is closed when it is given up', async () => {
      const asked = await asks('!channel del #task-1', /!yes (\w+)/)
      await asks(`!yes ${/!yes (\w+)/.exec(asked)?.[1]}`, /^chat:#task-1 is given up$/)
      const kicked = await worker.wait(line => line.command === 'KICK' && line.params[0] === '#task-1', 'the kick')
      assert.equal(kicked.params.at(-1), 'owner closed #task-1')
      worker.say('MODE #task-1')
      await worker.wait(line => line.command === '403' && line.params[1] === '#task-1', 'nothing to be left')
    })
  })
}
