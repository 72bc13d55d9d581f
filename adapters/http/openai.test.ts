import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import OpenAI from 'openai'
import { until } from '../../bots/bridge/testing.ts'
import type { ModelRequest } from '../../bots/oracle/models/contract.ts'
import { ScriptedModels, type Step } from '../../bots/oracle/models/testing.ts'
import { runOracle } from '../../bots/oracle/oracle.ts'
import { dropOldCompletions } from '../../core/ledger/oracle/completions.ts'
import { sql } from '../../core/ledger/sqlite.ts'
import { openWorld, type World } from './testing/world.ts'

const said = (request: ModelRequest): string => {
  const content = request.messages.at(-1)?.content ?? ''
  return typeof content === 'string' ? content : JSON.stringify(content)
}

function script(request: ModelRequest): readonly Step[] {
  const question = said(request)
  // First: a prompt holds what was said before, too.
  if (question.includes('very slowly')) return ['so far', { waitMs: 1500 }, ' and to the end']
  if (question.includes('### Task:')) return ['{"title": "Greetings"}']
  if (question.includes('hang')) return ['I begin', { hang: true }]
  if (question.includes('break')) return [{ fail: 'the service is away' }]
  if (question.includes('slowly')) return ['one', { waitMs: 150 }, ' two', { waitMs: 150 }, ' **three**']
  return ['Hello', ' there,', ' **friend**\n\n- a\n- b']
}

describe('the OpenAI-compatible API', () => {
  let world: World
  let models: ScriptedModels
  let alice: string
  let client: OpenAI
  const closing: (() => void | Promise<void>)[] = []
  const facts = () =>
    world.house.ledger.read(tx =>
      sql(tx, "SELECT body FROM event e JOIN place p ON p.id = e.place WHERE p.network = 'web' ORDER BY seq")
        .all()
        .map(row => row['body'] as string),
    )
  const states = () =>
    world.house.ledger.read(tx =>
      sql(tx, 'SELECT state FROM turn ORDER BY id')
        .all()
        .map(row => Number(row['state'])),
    )

  before(async () => {
    world = await openWorld({ after: done => closing.push(done) })
    models = new ScriptedModels(script)
    await world.house.run('oracle', context => runOracle(context, { models, mindFolder: world.house.dataDir }))
    alice = await world.key('alice', 'member', { account: 'alice-key' as never })
    client = new OpenAI({ apiKey: alice, baseURL: `${world.url}/v1`, maxRetries: 0 })
  })
  after(async () => {
    for (const done of closing) await done()
  })

  it('lists its models', async () => {
    const ids = []
    for await (const model of await client.models.list()) ids.push(model.id)
    assert.deepEqual(ids, ['oracle'])
    assert.equal((await client.models.retrieve('oracle')).object, 'model')
  })

  it('answers with the conversation of the request, as the model wrote it', async () => {
    const answer = await client.chat.completions.create({
      model: 'oracle',
      messages: [
        { role: 'system', content: 'You are brief.' },
        { role: 'user', content: 'who are you?' },
        { role: 'assistant', content: 'I am edited history' },
        { role: 'user', content: [{ type: 'text', text: 'hello' }] },
      ],
      max_tokens: 50,
      temperature: 0.1,
      tools: [{ type: 'function', function: { name: 'note', parameters: {} } }],
    })
    assert.equal(answer.choices[0]?.message.content, 'Hello there, **friend**\n\n- a\n- b')
    assert.equal(answer.choices[0]?.finish_reason, 'stop')
    assert.deepEqual(
      [answer.usage?.prompt_tokens, answer.usage?.completion_tokens, answer.usage?.total_tokens],
      [10, 3, 13],
    )
    const request = models.requests.at(-1)
    const [system, ...talk] = request?.messages ?? []
    assert.match(JSON.stringify(system?.content), /You are brief\."$/)
    assert.deepEqual(
      talk.map(({ role, content }) => [role, content]),
      [
        ['user', 'who are you?'],
        ['assistant', 'I am edited history'],
        ['user', 'hello'],
      ],
    )
    assert.equal(request?.maxOutputTokens, 50)
    assert.match(request?.person ?? '', /^person:/)
    const kept = await facts()
    assert.ok(kept.some(body => body.includes('hello')) && kept.some(body => body.includes('friend')))
    assert.ok(!kept.some(body => body.includes('edited history')), 'of what was brought the question alone is a fact')
  })

  it('streams piece by piece, with usage where it is asked for', async () => {
    const stream = await client.chat.completions.create({
      model: 'oracle',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'slowly' }],
    })
    const pieces: string[] = []
    const finishes: (string | null)[] = []
    let usage: number | undefined
    for await (const chunk of stream) {
      const [choice] = chunk.choices
      if (choice?.delta.content) pieces.push(choice.delta.content)
      if (choice?.finish_reason) finishes.push(choice.finish_reason)
      usage = chunk.usage?.total_tokens ?? usage
    }
    assert.equal(pieces.join(''), 'one two **three**')
    assert.ok(pieces.length >= 2, `${pieces.length} pieces`)
    assert.deepEqual([finishes, usage], [['stop'], 13])
    const whole = await client.chat.completions
      .stream({ model: 'oracle', messages: [{ role: 'user', content: 'hello again' }] })
      .finalContent()
    assert.match(whole ?? '', /friend/)
  })

  it('says what is wrong in OpenAI’s shape', async () => {
    const failed = await client.chat.completions
      .create({ model: 'oracle', messages: [{ role: 'user', content: 'break' }] })
      .catch((error: unknown) => error)
    assert.ok(failed instanceof OpenAI.APIError)
    assert.deepEqual([failed.status, failed.code], [502, 'model-failed'])
    const missing = await client.chat.completions
      .create({ model: 'gpt-9', messages: [{ role: 'user', content: 'x' }] })
      .catch((error: unknown) => error)
    assert.ok(missing instanceof OpenAI.NotFoundError && missing.code === 'model_not_found')
    const stranger = new OpenAI({ apiKey: 'sk-nothing', baseURL: `${world.url}/v1`, maxRetries: 0 })
    await assert.rejects(async () => stranger.models.list(), OpenAI.AuthenticationError)
    const empty = await client.chat.completions
      .create({ model: 'oracle', messages: [] })
      .catch((error: unknown) => error)
    assert.ok(empty instanceof OpenAI.BadRequestError)
  })

  it('ends a turn when its client hangs up', async () => {
    const stop = new AbortController()
    const stream = await client.chat.completions.create(
      { model: 'oracle', stream: true, messages: [{ role: 'user', content: 'hang please' }] },
      { signal: stop.signal },
    )
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) stop.abort()
    await until(async () => (await states()).at(-1) === 11, 'the turn to be stopped')
    await until(() => models.aborted.some(request => said(request).includes('hang')), 'the model to be left')
  })

  it('ends a turn when its owner says stop in chat', async () => {
    const person = world.house.server('a').user('alice')
    person.join('#general')
    const stream = await client.chat.completions.create({
      model: 'oracle',
      stream: true,
      messages: [{ role: 'user', content: 'hang on' }],
    })
    let text = ''
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content && text === '') person.say('#general', '!stop')
      text += chunk.choices[0]?.delta.content ?? ''
    }
    assert.equal(text, 'I begin')
    await until(async () => (await states()).at(-1) === 11, 'the turn to be stopped')
  })

  it('answers many at once, in no lane behind each other', async () => {
    const all = Array.from({ length: 6 }, () =>
      client.chat.completions.create({ model: 'oracle', messages: [{ role: 'user', content: 'slowly' }] }),
    )
    const beganMs = performance.now()
    await Promise.all(all)
    assert.ok(performance.now() - beganMs < 6 * 300, 'one after the other would take longer')
  })

  it('never takes words of a chat for a command', async () => {
    const before = await world.house.ledger.read(tx => Number(sql(tx, 'SELECT count(*) AS n FROM audit').get()?.['n']))
    const olga = await world.key('olga', 'owner')
    const owner = new OpenAI({ apiKey: olga, baseURL: `${world.url}/v1`, maxRetries: 0 })
    for (const content of ['!config set commands.lines 9', 'stop', 'status']) {
      const { choices } = await owner.chat.completions.create({
        model: 'oracle',
        messages: [{ role: 'user', content }],
      })
      assert.match(choices[0]?.message.content ?? '', /friend/)
    }
    const after = await world.house.ledger.read(tx => Number(sql(tx, 'SELECT count(*) AS n FROM audit').get()?.['n']))
    assert.equal(after, before)
  })

  it('keeps background calls of chat programs, and who hangs up on them, out of the record', async () => {
    const before = await facts()
    const { choices } = await client.chat.completions.create({
      model: 'oracle',
      messages: [{ role: 'user', content: '### Task:\nGenerate a title for: canary-42' }],
    })
    assert.equal(choices[0]?.message.content, '{"title": "Greetings"}')
    assert.deepEqual(await facts(), before)
    const kept = await world.house.ledger.read(tx => JSON.stringify(sql(tx, 'SELECT * FROM completion').all()))
    assert.ok(!kept.includes('canary-42'))
    assert.equal(models.requests.at(-1)?.task, 'summary')
  })

  it('keeps users of a chat program apart, and believes that program alone', async () => {
    const web = await world.key('walt', 'member', { forwards: true, account: 'webui' as never })
    const ask = async (key: string, user: string, chat: string) => {
      const body = { model: 'oracle', messages: [{ role: 'user', content: 'hello' }] }
      const headers = { 'x-openwebui-user-id': user, 'x-openwebui-chat-id': chat, 'x-openwebui-user-name': 'Zo%C3%AB' }
      assert.equal((await world.call('POST', '/v1/chat/completions', key, body, headers)).status, 200)
    }
    await ask(web, 'u1', 'c1')
    await ask(web, 'u2', 'c1')
    await ask(web, 'u1', 'c1')
    await ask(alice, 'u1', 'c1')
    const rows = await world.house.ledger.read(tx =>
      sql(
        tx,
        `SELECT DISTINCT p.channel, e.name, p.private FROM event e JOIN place p ON p.id = e.place
         WHERE p.channel LIKE '@webui%' AND e.sender = 'webui'`,
      ).all(),
    )
    assert.equal(rows.length, 2)
    assert.ok(rows.every(row => row['name'] === 'Zoë' && row['private'] === 1))
    const others = await world.house.ledger.read(tx =>
      sql(tx, "SELECT count(*) AS n FROM place WHERE channel LIKE '@alice-key/%'").get(),
    )
    assert.equal(Number(others?.['n']), 0)
  })

  it('is whole for who asks in their own conversation, where it grows', async () => {
    const nora = await world.key('nora', 'member')
    const sent = await world.call('POST', '/v1/channels/@me/messages', nora, { text: 'oracle: very slowly' })
    assert.equal(sent.status, 201)
    interface Letters {
      readonly messages: readonly { readonly text: string }[]
    }
    const texts = async (): Promise<string[]> =>
      (await world.call<Letters>('GET', '/v1/channels/@me/messages?limit=500', nora)).json.messages.map(
        ({ text }) => text,
      )
    await until(async () => (await texts()).some(text => text.startsWith('so far')), 'its beginning')
    await until(async () => (await texts()).includes('so far and to the end'), 'the whole')
    assert.equal((await texts()).filter(text => text.startsWith('so far')).length, 1)
  })

  it('refuses a key without the scope', async () => {
    const reader = await world.key('mia', 'member', { scopes: ['read'] })
    const body = { model: 'oracle', messages: [{ role: 'user', content: 'hello' }] }
    const { status, json } = await world.call<{ error: { type: string } }>('POST', '/v1/chat/completions', reader, body)
    assert.deepEqual([status, json.error.type], [403, 'permission_error'])
  })

  it('gives the same answer again for as long as it is kept, and says when it is not', async () => {
    const ask = () =>
      client.chat.completions.create(
        { model: 'oracle', messages: [{ role: 'user', content: 'once and again' }] },
        { headers: { 'idempotency-key': 'nightly' } },
      )
    const first = await ask()
    assert.deepEqual((await ask()).choices, first.choices)
    await world.house.ledger.write(tx => dropOldCompletions(tx, Date.now() + 1))
    await assert.rejects(ask, /404 this answer is not kept any more/)
  })
})
