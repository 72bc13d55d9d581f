import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { ChatEvent, UserId } from '../../core/event.ts'
import { sleep } from '../../core/retry.ts'
import { availableServers, startErgo, startInspircd, type TestServer } from './server/testing.ts'
import { Guest, place, Trial } from './testing/trial.ts'

const bots = ['bridge', 'admin', 'oracle']
const build = place('#build')
const alice = 'alice' as UserId

const guest = async (server: TestServer, name: string): Promise<Guest> =>
  Guest.join({
    host: server.host,
    port: server.port,
    nick: name,
    account: { account: name, password: `pw-${name}-0123456789` },
  })

/** Asks until the server shows it: what comes back after a restart does so in its own time. */
async function shows(who: Guest, line: string, fits: RegExp): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const from = who.lines.length
    who.say(line, `PING :shows-${attempt}`)
    await who.wait(one => one.command === 'PONG' && one.params.at(-1) === `shows-${attempt}`, 'an answer')
    if (who.lines.slice(from).some(one => fits.test(`${one.command} ${one.params.join(' ')}`))) return
    await sleep(25)
  }
  assert.fail(`${line} never showed ${String(fits)}`)
}

for (const { kind, reason } of await availableServers()) {
  if (kind === 'ngircd') continue
  describe(`acts on channels on ${kind}`, { skip: reason ?? false, timeout: 90_000 }, () => {
    let server: TestServer
    let trial: Trial
    let visitor: Guest

    before(async () => {
      server = await (kind === 'ergo' ? startErgo : startInspircd)(null, { bots })
      trial = await Trial.start({
        config: { kind: 'irc', managed: true, channels: [] },
        dataDir: server.dataDir,
        personas: bots,
      })
      await trial.up()
      await server.account('alice')
      visitor = await guest(server, 'alice')
    })
    after(async () => {
      visitor?.leave()
      await trial?.stop()
      await server?.stop()
    })

    it('keeps a channel with modes and topic, and may do so again', async () => {
      await trial.adapter.channels?.join(build)
      await trial.adapter.channels?.keep?.(build, { modes: '+i', topic: 'the build' })
      await trial.adapter.channels?.keep?.(build, { modes: '+i', topic: 'the build' })
      await shows(visitor, 'MODE #build', /^324 alice #build \+\w*i/)
      await assert.rejects(async () => trial.adapter.channels?.keep?.(build, { modes: '+§', topic: '' }), {
        code: 'send-refused',
      })
    })

    it('comes back at once when somebody puts us out', async () => {
      await trial.adapter.channels?.kick?.(build, 'bridge' as UserId, 'out')
      const left = (event: ChatEvent): boolean => event.kind === 'member' && event.change === 'leave'
      assert.equal((await trial.event(left, 'the kick')).sender.kind, 'self')
      await trial.ready('#build')
      assert.equal(trial.adapter.status().troubles, undefined)
    })

    it('brings who is there through a closed door, and puts out', async () => {
      visitor.say('JOIN #build')
      await visitor.wait(line => line.command === '473', 'the closed door')
      assert.equal(await trial.adapter.channels?.bring?.(build, [alice]), 1)
      await visitor.wait(line => line.command === '332' && line.params.at(-1) === 'the build', 'the topic')
      await trial.adapter.channels?.kick?.(build, alice, 'not\r\nnow')
      const kicked = await visitor.wait(line => line.command === 'KICK', 'the kick')
      assert.deepEqual(kicked.params, ['#build', 'alice', 'not now'])
      await trial.adapter.channels?.kick?.(build, alice, 'again')
      assert.equal(await trial.adapter.channels?.bring?.(build, [alice, 'nobody' as UserId]), 1)
      await visitor.wait(
        line => line.command === 'JOIN' && line.nick === 'alice' && visitor.lines.includes(kicked),
        'JOIN',
      )
    })

    it('changes topic and modes', async () => {
      await trial.adapter.channels?.keep?.(build, { modes: '', topic: 'a topic\r\nMODE #build +b alice' })
      await visitor.wait(
        line => line.command === 'TOPIC' && line.params.at(-1) === 'a topic MODE #build +b alice',
        'the new topic',
      )
      await trial.adapter.channels?.mode?.(build, '-i+v alice')
      await visitor.wait(line => line.command === 'MODE' && line.params[1]?.includes('v') === true, 'the voice')
    })

    it('is there with all that after the server was killed, empty as it is', async () => {
      await trial.adapter.channels?.mode?.(build, '+m')
      await shows(visitor, 'MODE #build', /\+\w*m/)
      visitor.leave()
      // InspIRCd writes its kept channels down once a second.
      await sleep(1500)
      await trial.stop()
      await server.kill('SIGKILL')
      await server.restart()
      visitor = await guest(server, 'alice')
      await shows(visitor, 'MODE #build', /^324 alice #build \+\w*m/)
      visitor.say('JOIN #build')
      await visitor.wait(
        line => line.command === '332' && line.params.at(-1)?.startsWith('a topic') === true,
        'the topic',
      )
      trial = await Trial.start({
        config: { kind: 'irc', managed: true, channels: ['#build'] },
        dataDir: server.dataDir,
        personas: bots,
      })
      await trial.ready('#build')
      await trial.adapter.channels?.keep?.(build, { modes: '', topic: 'a topic MODE #build +b alice' })
      const { length } = visitor.lines
      await shows(visitor, 'MODE #build', /^324/)
      assert.equal(
        visitor.lines.slice(length).some(line => line.command === 'TOPIC'),
        false,
        'what is so already is not set again',
      )
    })

    it('gives a channel up: everybody is out, and nothing is left', async () => {
      await trial.adapter.channels?.release?.(build, 'its time is over')
      const kicked = await visitor.wait(line => line.command === 'KICK', 'the last kick')
      assert.equal(kicked.params.at(-1), 'its time is over')
      await shows(visitor, 'MODE #build', /^403/)
      await trial.adapter.channels?.release?.(build, 'again')
    })
  })
}
