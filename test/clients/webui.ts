/** A real Open WebUI, by the HTTP interface that its pages use. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { UserId } from '../../core/event.ts'
import { sql } from '../../core/ledger/sqlite.ts'
import type { Places } from '../../scripts/programs/places.ts'
import { webUiPython } from './programs.ts'
import { eventually, type Rig } from './rig.ts'

const readyMs = 180_000
const account = 'webui' as UserId

interface Message {
  readonly content: string
  readonly done?: boolean
  readonly followUps?: readonly string[]
}

interface Chat {
  readonly title: string
  readonly meta: { readonly tags?: readonly string[] }
  readonly chat: { readonly history: { readonly messages: Readonly<Record<string, Message>> } }
}

interface Begun {
  readonly chat_id: string
  readonly task_ids: readonly string[]
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** One user of Open WebUI. */
class User {
  readonly #base: string
  #token = ''

  constructor(base: string) {
    this.#base = base
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.#base + path, {
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    })
    const text = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text.slice(0, 300)}`)
    return JSON.parse(text) as T
  }

  /** The first of all is its administrator, and makes the others. */
  async enter(name: string, by?: User): Promise<void> {
    const person = {
      name,
      email: `${encodeURIComponent(name).replace(/%/g, '')}@example.org`,
      password: 'A-long-Password-123',
      role: 'user',
    }
    const path = by ? '/api/v1/auths/add' : '/api/v1/auths/signup'
    this.#token = (await (by ?? this).call<{ token: string }>('POST', path, person)).token
  }

  /** Says something as the page does: in a new chat, or after a message of one. The id of the answer to come. */
  async say(model: string, content: string, { chat, parent = null }: { chat?: string; parent?: string | null } = {}) {
    const [user, answer] = [randomUUID(), randomUUID()]
    const begun = await this.call<Begun>('POST', '/api/chat/completions', {
      model,
      stream: true,
      session_id: 'page',
      ...(chat === undefined ? {} : { chat_id: chat }),
      parent_id: parent,
      messages: [{ role: 'user', content }],
      user_message: {
        id: user,
        parentId: parent,
        childrenIds: [],
        role: 'user',
        content,
        timestamp: 1,
        models: [model],
      },
      message_ids: [{ model_id: model, message_id: answer }],
      background_tasks: { title_generation: true, tags_generation: true, follow_up_generation: true },
      params: {},
      features: {},
    })
    return { chat: begun.chat_id, answer, task: begun.task_ids[0] as string }
  }

  read(chat: string): Promise<Chat> {
    return this.call('GET', `/api/v1/chats/${chat}`)
  }

  /** An answer once it is whole. */
  async whole(chat: string, answer: string): Promise<Message> {
    let message: Message | undefined
    await eventually('an answer', async () => {
      message = (await this.read(chat)).chat.history.messages[answer]
      return message?.done === true
    })
    return message as Message
  }
}

/** Starts it with Chanop as its only service. */
async function start(python: string, rig: Rig, folder: string): Promise<{ base: string; stop: () => Promise<void> }> {
  const port = await freePort()
  const key = await rig.world.key('walt', 'member', { forwards: true, account })
  const env = {
    ...process.env,
    USE_SLIM_DOCKER: 'true',
    DATA_DIR: folder,
    HOME: folder,
    WEBUI_SECRET_KEY: randomUUID(),
    OPENAI_API_BASE_URL: `${rig.world.url}/v1`,
    OPENAI_API_KEY: key,
    ENABLE_FORWARD_USER_INFO_HEADERS: 'true',
    ENABLE_OLLAMA_API: 'false',
    BYPASS_MODEL_ACCESS_CONTROL: 'true',
    OFFLINE_MODE: 'true',
    ANONYMIZED_TELEMETRY: 'false',
  }
  const args = ['-c', 'from open_webui import app; app()', 'serve', '--host', '127.0.0.1', '--port', `${port}`]
  const child = spawn(python, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(child, 'close')
  let said = ''
  child.stderr.on('data', piece => (said = (said + String(piece)).slice(-2000)))
  const base = `http://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await closed
  }
  try {
    const isUp = () =>
      fetch(`${base}/health`).then(
        ({ ok }) => ok,
        () => child.exitCode !== null,
      )
    await eventually('Open WebUI to be up', isUp, readyMs)
    assert.equal(child.exitCode, null, `Open WebUI ended: ${said}`)
  } catch (error) {
    await stop()
    throw error
  }
  return { base, stop }
}

const facts = ({ world }: Rig) =>
  world.house.ledger.read(tx =>
    sql(
      tx,
      `SELECT e.body, e.name, p.channel, p.private FROM event e JOIN place p ON p.id = e.place
       WHERE p.network = 'web' AND e.kind = 'message' ORDER BY e.seq`,
    ).all(),
  )

async function conversation(rig: Rig, zoe: User, bob: User): Promise<void> {
  const models = await zoe.call<{ data: { id: string }[] }>('GET', '/api/models')
  assert.deepEqual(models.data.map(({ id }) => id).sort(), ['main', 'numbers', 'oracle'])
  console.log('open-webui: models are listed')

  const first = await zoe.say('oracle', 'good morning canary-1')
  assert.equal((await zoe.whole(first.chat, first.answer)).content, 'Hello there')
  await eventually('title, tags and what could be said next', async () => {
    const { title, meta, chat } = await zoe.read(first.chat)
    const { followUps } = chat.history.messages[first.answer] ?? {}
    return title === 'A talk' && meta.tags?.includes('talk') === true && followUps?.[0] === 'And then?'
  })
  console.log('open-webui: a chat with the oracle, and its title, tags and follow-ups')

  const slow = await zoe.say('oracle', 'slowly canary-2', { chat: first.chat, parent: first.answer })
  const before = rig.hungUp()
  await eventually('the answer to begin', () => rig.service.requests.some(({ body }) => asks(body, 'canary-2')))
  await zoe.call('POST', `/api/tasks/stop/${slow.task}`)
  await eventually('the stopped answer to end at the service', () => rig.hungUp() > before)
  const settled = async () => (await openTurns(rig)) === 0
  await eventually('its turn to be stopped', settled)
  console.log('open-webui: stop ends the answer at the service')

  const edited = await zoe.say('oracle', 'edited canary-3', { chat: first.chat, parent: first.answer })
  await zoe.whole(edited.chat, edited.answer)
  const sent = rig.service.requests.findLast(({ body }) => asks(body, 'canary-3') && !asks(body, '### Task'))
  assert.ok(asks(sent?.body, 'canary-1') && !asks(sent?.body, 'canary-2'), 'what was edited away is not sent')
  console.log('open-webui: edited history is obeyed')

  const own = await bob.say('oracle', 'canary-4')
  await bob.whole(own.chat, own.answer)
  const passed = await zoe.say('main', 'canary-5')
  await zoe.whole(passed.chat, passed.answer)
  const tools = rig.service.requests.find(({ body }) => asks(body, 'canary-5') && !asks(body, '### Task'))?.body[
    'tools'
  ]
  assert.ok(Array.isArray(tools) && tools.length > 5, 'its tools reach a model that is passed through')
  console.log(`open-webui: ${tools.length} tools are accepted`)
  const quiet = () => rig.service.requests.filter(({ body }) => asks(body, '### Task')).length >= 6
  await eventually('the background calls to be made', quiet)
}

const asks = (body: unknown, words: string): boolean => JSON.stringify(body ?? '').includes(words)

const openTurns = ({ world }: Rig) =>
  world.house.ledger.read(tx => Number(sql(tx, 'SELECT count(*) AS n FROM turn WHERE state < 10').get()?.['n']))

/** What is in the record: the questions and answers of each chat in a place of its own, and nothing besides. */
async function record(rig: Rig): Promise<void> {
  const all = await facts(rig)
  const text = JSON.stringify(all.map(row => row['body']))
  assert.ok(!text.includes('### Task') && !text.includes('follow_ups'), 'no background call is in the record')
  assert.ok(!text.includes('canary-5'), 'what is passed through is not in the record')
  const chats = new Set(all.map(row => row['channel']))
  assert.equal(chats.size, 2, [...chats].join(', '))
  assert.ok(all.every(row => String(row['channel']).startsWith(`@${account}/`) && row['private'] === 1))
  const place = (words: string) => all.find(row => asks(row['body'], words))
  assert.deepEqual([place('canary-1')?.['name'], place('canary-4')?.['name']], ['Zoë', 'Bob'])
  assert.equal(place('canary-1')?.['channel'], place('canary-3')?.['channel'])
  assert.notEqual(place('canary-1')?.['channel'], place('canary-4')?.['channel'])
  const kept = await rig.world.house.ledger.read(tx => JSON.stringify(sql(tx, 'SELECT body FROM completion').all()))
  assert.ok(!kept.includes('canary'), 'no conversation is kept when it has ended')
  console.log(`open-webui: ${all.length} messages in the record, of 2 chats, none of a background call`)
}

export async function webUi(rig: Rig, places: Places): Promise<void> {
  const python = await webUiPython(places)
  const folder = await mkdtemp(join(tmpdir(), 'chanop-webui-'))
  const { base, stop } = await start(python, rig, folder).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true })
    throw error
  })
  try {
    const [zoe, bob] = [new User(base), new User(base)]
    await zoe.enter('Zoë')
    await bob.enter('Bob', zoe)
    await conversation(rig, zoe, bob)
    await record(rig)
  } finally {
    await stop()
    await rm(folder, { recursive: true, force: true })
  }
}
