/** The client against real servers: line by line as a process of its own, and on a screen over streams of our own. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import type { ReadStream, WriteStream } from 'node:tty'
import { availableServers, startErgo, startInspircd, type TestServer } from '../../adapters/irc/server/testing.ts'
import type { Line } from '../../adapters/irc/text/line.ts'
import { App } from './app.ts'
import type { Target } from './endpoint.ts'
import { KnownCommands } from './known.ts'
import { Session } from './session.ts'
import { Terminal } from './terminal.ts'

const deadlineMs = 15_000
const starts = { ergo: startErgo, inspircd: startInspircd }

function target({ control }: TestServer, account: string, password: string): Target {
  assert.ok(control)
  return { endpoint: { ...control.tls, tls: true }, account, password, channels: ['#general'], historyLines: 100 }
}

/** Somebody else in #general, who can be asked to wait for a line. */
class Other {
  readonly session: Session
  readonly #lines: Line[] = []
  readonly #news = new EventEmitter()

  constructor(t: TestContext, to: Target, answer: (line: Line, session: Session) => void = () => undefined) {
    const stop = new AbortController()
    this.session = new Session(to, {
      line: (line, past) => {
        this.#lines.push(line)
        if (!past && line.command === 'PRIVMSG') answer(line, this.session)
        this.#news.emit('line')
      },
      ready: () => undefined,
      down: () => undefined,
    })
    const run = this.session.run(stop.signal)
    run.catch(() => this.#news.emit('line'))
    t.after(async () => {
      stop.abort()
      await run
    })
  }

  async saw(command: string, text: string): Promise<void> {
    const late = AbortSignal.timeout(deadlineMs)
    while (!this.#lines.some(line => line.command === command && line.params.at(-1)?.includes(text))) {
      await once(this.#news, 'line', { signal: late })
    }
  }
}

interface Ended {
  readonly out: string
  readonly err: string
  readonly code: number | null
}

async function chat(server: TestServer, input: string, ...args: string[]): Promise<Ended> {
  const env = { ...process.env, CHANOP_DATA: server.dataDir, CHANOP_CONFIG: 'config/example.yaml' }
  const child = spawn(process.execPath, [join(import.meta.dirname, '../chat.ts'), ...args], {
    env,
    timeout: deadlineMs,
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { out, err, code }
}

/** A terminal of 80 by 24 that remembers what was written to it. */
class Screen {
  readonly input = Object.assign(new PassThrough(), {
    raw: false,
    setRawMode: (raw: boolean) => (this.input.raw = raw),
  })
  readonly #news = new EventEmitter()
  readonly output = Object.assign(new EventEmitter(), {
    columns: 80,
    rows: 24,
    write: (text: string) => this.#take(text),
  })
  /** Everything since the last look, our own SGR sequences taken out. */
  written = ''

  #take(text: string): boolean {
    this.written += text.replace(/\x1b\[[0-9;]*m/g, '')
    this.#news.emit('news')
    return true
  }

  get terminal(): Terminal {
    return new Terminal(this.input as unknown as ReadStream, this.output as unknown as WriteStream)
  }

  async shows(text: string): Promise<void> {
    const late = AbortSignal.timeout(deadlineMs)
    while (!this.written.includes(text)) {
      await once(this.#news, 'news', { signal: late }).catch(() =>
        assert.fail(`the screen does not show: ${text}\n${this.written}`),
      )
    }
    this.written = this.written.slice(this.written.indexOf(text) + text.length)
  }

  async pageUpTo(text: string): Promise<void> {
    const late = AbortSignal.timeout(deadlineMs)
    while (!this.written.includes(text)) {
      this.type('\x1b[5~')
      await once(this.#news, 'news', { signal: late }).catch(() =>
        assert.fail(`paging up does not reach: ${text}\n${this.written}`),
      )
    }
  }

  type(keys: string): void {
    this.input.write(keys)
  }
}

async function lineByLine(t: TestContext, server: TestServer): Promise<void> {
  const ann = new Other(
    t,
    target(server, 'ann', await server.account('ann')),
    ({ params: [to = '', text = ''] }, session) => {
      if (text === '!help') session.say(to, 'answer \x1b[2J one\ntwo')
      if (text === '!late') {
        session.say(to, 'soon')
        setTimeout(() => session.say(to, 'late'), 1000)
      }
      if (text.startsWith('!stop')) session.write(`NOTICE owner :stopped ${text}`)
    },
  )
  await ann.saw('366', '')
  const asked = await chat(server, '!help\r\n\n/stop it\n/me waves\n', '--wait', '3')
  await ann.saw('PRIVMSG', '\x01ACTION waves\x01')
  const expected = ['#general <ann> answer [2J one', '#general <ann> two', 'ann -ann- stopped !stop it', '']
  assert.deepEqual(asked.out.split('\n'), expected, asked.err)
  assert.equal(asked.code, 0, asked.err)

  const past = await chat(server, '', '--history', '10', '--wait', '0.3')
  assert.doesNotMatch(past.out, /owner/, 'our own lines are not answers')
  assert.ok(past.out.includes('#general <ann> two'), past.out)

  const lost = await chat(server, '/msg nobody hi\n', '--wait', '0.2')
  assert.match(lost.err, /^nobody: No such nick/m)
  assert.equal(lost.code, 1)

  const here = await chat(server, '/names\n/audit\n', '--wait', '0.2')
  assert.match(here.err, /^ann .*owner/m)
  await ann.saw('PRIVMSG', '!audit')
  assert.equal(here.code, 0, here.err)
  const refused = await chat(server, '/window 9\n/jion #ops\n', '--wait', '0.2')
  assert.match(refused.err, /there is no window 9.*\n.*there is no \/jion/)
  assert.equal(refused.code, 1)

  assert.ok(server.owner)
  const elsewhere = new Other(t, target(server, server.owner.account, server.owner.password))
  await elsewhere.saw('366', '')
  const late = await chat(server, '!late\n', '--wait', '3')
  assert.match(late.out, /soon\n.*late\n/, late.err)
  assert.deepEqual([late.err, late.code], ['', 0], 'that our nick is in use elsewhere is no refusal')
}

async function onScreen(t: TestContext, server: TestServer): Promise<void> {
  const bob = new Other(t, target(server, 'bob', await server.account('bob')))
  await bob.saw('366', '')
  for (let at = 1; at <= 120; at++) bob.session.say('#general', `numbered ${at}.`)
  await bob.session.flush()
  assert.ok(server.owner)
  const screen = new Screen()
  const to = { ...target(server, server.owner.account, server.owner.password), historyLines: 100 }
  const app = new App({ target: to, prefix: '!', known: new KnownCommands('!'), note: null, terminal: screen.terminal })
  const stop = new AbortController()
  const run = app.run(stop.signal)
  t.after(() => stop.abort())
  await screen.shows('<bob> numbered 120.')
  assert.equal(screen.input.raw, true)
  screen.type('!he\tstatus\r')
  await bob.saw('PRIVMSG', '!help status')
  await screen.shows('<owner> !help status')
  bob.session.say('owner', 'a private word\x1b]0;title\x07')
  await screen.shows('2:bob(1!)')
  screen.type('\x1b2')
  await screen.shows('<bob> a private word]0;title')
  screen.type('answer\r')
  await bob.saw('PRIVMSG', 'answer')
  screen.type('\x1b1')
  // Ergo is asked for what is older than the 100 lines shown; InspIRCd gives what it replays on joining.
  await screen.pageUpTo('numbered 1.')
  screen.type('\x1b[1;5F')
  await server.kill('SIGKILL')
  await screen.shows('offline')
  await server.restart()
  await screen.shows('connected again')
  screen.type('/join #ops\r')
  await screen.shows('[#ops]')
  screen.type('/stop\x7fp all\r')
  await screen.shows('<owner> !stop all')
  screen.type('\x1b1')
  screen.type('\x1b[200~two \x03\x15\x04\x1b[3~lines\r/quit\x1b\x1b[201~\r')
  await bob.saw('PRIVMSG', 'two lines')
  await bob.saw('PRIVMSG', '/quit')
  // The end of this one is lost behind half a key.
  screen.type('\x1b[200~three\x1b[\x1b[201~')
  await screen.shows('three[201~')
  const pressed = setInterval(() => screen.type('\x03'), 500)
  await run.finally(() => clearInterval(pressed))
  assert.equal(screen.input.raw, false)
  assert.ok(screen.written.endsWith('\x1b[?1049l'))
}

for (const { kind, reason } of await availableServers()) {
  if (kind === 'ngircd') continue
  test(`line by line on ${kind}`, { skip: reason ?? false }, async t => lineByLine(t, await starts[kind](t)))
  test(`on a screen on ${kind}`, { skip: reason ?? false }, async t => onScreen(t, await starts[kind](t)))
}
