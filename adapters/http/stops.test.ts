/** What programs ask of models ends when they are told to stop, and when their key does. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, before, describe, it } from 'node:test'
import OpenAI from 'openai'
import { agentIn } from '../../bots/admin/fleet/testing.ts'
import { until } from '../../bots/bridge/testing.ts'
import { begin, delta, ModelServer, type Received, send } from '../../bots/oracle/models/testing-server.ts'
import { runOracle } from '../../bots/oracle/oracle.ts'
import type { UserId } from '../../core/event.ts'
import { turnStates } from '../../core/ledger/oracle/turns.ts'
import { revokeKey } from '../../core/ledger/settings/api-keys.ts'
import { sql } from '../../core/ledger/sqlite.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import { openWorld, type World, web } from './testing/world.ts'

/** What the next message of a channel says for which `isMeant` holds. */
function next<T>(channel: string, isMeant: (message: T) => boolean): Promise<T> {
  return new Promise(resolve => {
    const listener = (message: unknown): void => {
      if (!isMeant(message as T)) return
      unsubscribe(channel, listener)
      resolve(message as T)
    }
    subscribe(channel, listener)
  })
}

describe('an answer that a program waits for', () => {
  let world: World
  const received: Received[] = []
  const closing: (() => void | Promise<void>)[] = []

  before(async () => {
    const t = { after: (done: () => void | Promise<void>) => closing.push(done) }
    // It begins, and never comes to an end by itself.
    const service = await ModelServer.listen(t, (response, request) => {
      received.push(request)
      begin(response)
      send(response, delta('I begin'))
    })
    const price = '{ inputPerMillion: 1, outputPerMillion: 1 }'
    world = await openWorld(t, {
      more: `models: { main: { provider: compatible, model: test, baseUrl: '${service.url}', price: ${price} } }`,
    })
    await world.house.run('oracle', context => runOracle(context))
  })
  after(async () => {
    for (const done of closing) await done()
  })

  /** Begins to read an answer; resolves once there is something of it, with what tells how it ended. */
  async function asking(key: string, model = 'main', headers: Record<string, string> = {}) {
    const client = new OpenAI({ apiKey: key, baseURL: `${world.url}/v1`, maxRetries: 0 })
    const before = received.length
    const stream = await client.chat.completions.create(
      { model, messages: [{ role: 'user', content: 'hello' }], stream: true },
      { headers },
    )
    const begun = Promise.withResolvers<void>()
    const ended = (async () => {
      try {
        for await (const { choices } of stream) {
          if (choices[0]?.finish_reason) return choices[0].finish_reason as string
          if (choices[0]?.delta.content) begun.resolve()
        }
        return 'end'
      } catch (error) {
        return String((error as { code?: string }).code)
      }
    })()
    await Promise.race([begun.promise, ended])
    const [request] = received.slice(before)
    return { ended, hungUp: request?.hungUp, end: () => stream.controller.abort() }
  }

  it('ends when the agent that asks says stop in chat, whichever of its accounts asked, and nobody else’s does', async () => {
    const worker = await agentIn(world.house, 'w-1', { permissions: ['*'] })
    await agentIn(world.house, 'w-2')
    const [own, others] = [await world.key('w-1', 'agent'), await world.key('w-2', 'agent')]
    const [passed, other] = [await asking(own), await asking(others)]
    worker.say('#general', '!stop')
    assert.equal(await passed.ended, 'stopped')
    await passed.hungUp
    const spoken = await asking(own, 'oracle')
    worker.say('#general', '!stop')
    assert.notEqual(await spoken.ended, 'end')
    await spoken.hungUp
    assert.equal(await Promise.race([other.ended, Promise.resolve('goes on')]), 'goes on')
    other.end()
    await other.hungUp
  })

  it('ends when an operator stops the agents of a selector, and the others’ go on', async () => {
    await agentIn(world.house, 'b-1', { type: 'builder' })
    await agentIn(world.house, 'b-2', { type: 'builder' })
    await world.house.grant('chat', 'olga', 'operator')
    const olga = world.house.server('a').user('olga')
    olga.join('#general')
    const builders = [await asking(await world.key('b-1', 'agent')), await asking(await world.key('b-2', 'agent'))]
    const other = await asking(await world.key('alice', 'member'))
    await olga.shouldReply('#general', '!stop @builder', /stopping 2 requests to models/)
    for (const { ended, hungUp } of builders) {
      assert.equal(await ended, 'stopped')
      await hungUp
    }
    assert.equal(await Promise.race([other.ended, Promise.resolve('goes on')]), 'goes on')
    other.end()
    await other.hungUp
  })

  it('is asked anew by the same request when its client hung up, and not when somebody stopped it', async () => {
    for (const model of ['main', 'oracle']) {
      const name = `eve-${model}`
      const key = await world.key(name, 'member')
      const same = { 'idempotency-key': 'one' }
      for (let n = 0; n < 3; n++) {
        const { end, hungUp } = await asking(key, model, same)
        assert.ok(hungUp, `${model} is asked, time ${n + 1}`)
        end()
        await hungUp
      }
      const stopped = await asking(key, model, same)
      const eve = world.house.server('a').user(name)
      eve.join('#general')
      eve.say('#general', '!stop')
      await stopped.ended
      await stopped.hungUp
      const before = received.length
      const again = await fetch(`${world.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...same },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }], stream: true }),
        signal: AbortSignal.timeout(5000),
      })
      const text = await again.text()
      assert.equal(received.length, before, text)
    }
  })

  it('ends when its client hung up before the question was taken down', async t => {
    const { ledger } = world.house
    const write = ledger.write.bind(ledger)
    for (const model of ['main', 'oracle']) {
      const account = `hasty-${model}` as UserId
      const key = await world.key('dan', 'member', { account })
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
      const [stop, gate] = [new AbortController(), Promise.withResolvers<void>()]
      const writing = t.mock.method(ledger, 'write', async (...given: Parameters<typeof write>) => {
        await gate.promise
        return write(...given)
      }).mock
      const came = next<{ request: IncomingMessage; response: ServerResponse }>(
        'http.server.request.start',
        ({ request }) => request.headers.authorization === headers.authorization,
      )
      const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }], stream: true })
      const asked = fetch(`${world.url}/v1/chat/completions`, { method: 'POST', headers, body, signal: stop.signal })
      const { response } = await came
      const closed = once(response, 'close')
      await until(() => writing.callCount() > 0, 'the question to be written')
      const before = received.length
      stop.abort()
      await Promise.all([assert.rejects(asked), closed])
      writing.restore()
      gate.resolve()
      const stopped =
        'SELECT 1 FROM (SELECT state, account AS user FROM completion WHERE turn = 0 UNION SELECT state, user FROM turn)'
      const isStopped = (tx: Tx) => sql(tx, `${stopped} WHERE user = ? AND state = ${turnStates.stopped}`).get(account)
      await until(() => ledger.read(isStopped), `${model} to be given up`)
      await Promise.all(received.slice(before).map(({ hungUp }) => hungUp))
    }
  })

  it('ends with its key', async () => {
    for (const model of ['main', 'oracle']) {
      const account = `brief-${model}` as UserId
      const { ended, hungUp } = await asking(await world.key('bob', 'member', { account }), model)
      await world.house.ledger.write(tx => revokeKey(tx, { network: web, account }, Date.now()))
      assert.equal(await ended, 'invalid_api_key')
      await hungUp
    }
  })
})
