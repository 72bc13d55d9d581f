/**
 * A fleet on one whole instance: `node test/fleet.ts [--agents 500] [--server ergo|inspircd]`. Registers them by one
 * command, has them log in, calls them all, kills the IRC server, and says how long everything took and how much memory
 * the system has, see docs/performance.md. Every agent is a socket of this process, which counts for nothing in the sums.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { lastParam } from '../adapters/irc/text/line.ts'
import { AgentSocket } from './agent-socket.ts'
import { Instance, killNow, type ServerKind, until } from './instance.ts'
import { Client, type Login } from './irc.ts'
import { type Memory, memoryOf } from './memory.ts'

const types = ['worker', 'scout', 'aide'] as const
const settings = `
commands: { perMinute: 60000, burst: 10000, lines: 20 }
fleet: { answerSeconds: 60, perPersonPerMinute: 600, perRoomPerMinute: 600, alertRoom: null }
`

const { values } = parseArgs({
  options: { agents: { type: 'string', default: '500' }, server: { type: 'string', default: 'ergo' } },
})
const many = Number(values.agents)
const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`
const print = (what: string, text: string): void => console.log(`${what.padEnd(34)} ${text}`)

/** The owner at a keyboard. */
class Owner {
  readonly client: Client
  readonly #channel: string
  #lines: string[] = []

  constructor(login: Login, channel: string) {
    this.#channel = channel
    this.client = new Client(login, {
      line: line => {
        if (line.command === 'PRIVMSG' && line.nick === 'admin') this.#lines.push(lastParam(line))
      },
      closed: () => undefined,
    })
  }

  async enter(): Promise<void> {
    await until('the owner to log in', 30_000, () =>
      this.client.login().then(
        () => true,
        () => false,
      ),
    )
    this.client.write(`JOIN ${this.#channel}`)
    await this.client.wait(line => line.command === '366')
  }

  /** Says it and resolves with the first line of admin that fits. */
  async ask(words: string, fits: RegExp, deadlineMs = 120_000): Promise<string> {
    this.#lines = []
    this.client.write(`PRIVMSG ${this.#channel} :${words}`)
    return until(`an answer to ${words}`, deadlineMs, async () => this.#lines.find(line => fits.test(line)) ?? null)
  }
}

/** The logins that the one command left in a file. */
async function loginsIn(instance: Instance, port: number): Promise<Login[]> {
  const folder = join(instance.data, 'agents')
  const files = (await readdir(folder)).filter(name => name.endsWith('.txt'))
  const text = await readFile(join(folder, files.at(-1) ?? ''), 'utf8')
  return [...text.matchAll(/account=(\S+) password=(\S+)/g)].map(([, account = '', password = '']) => ({
    host: '127.0.0.1',
    port,
    account,
    password,
  }))
}

function show(connected: number, memory: Memory): void {
  const parts = memory.parts.map(({ name, pssBytes }) => `${name} ${mib(pssBytes)}`).join(', ')
  print(
    `${connected} agents connected`,
    `PSS ${mib(memory.pssBytes)} MiB, RSS ${mib(memory.rssBytes)} MiB (PSS: ${parts})`,
  )
}
const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(0)

async function call(owner: Owner, words: string, expected: number): Promise<void> {
  const sinceMs = performance.now()
  const counted = await owner.ask(words, /\d+ of \d+ answered/)
  print(words, `${counted} in ${seconds(sinceMs)}`)
  if (!counted.startsWith(`${expected} of ${expected} answered`)) throw new Error(`not all ${expected} answered`)
}

async function enter(agents: readonly AgentSocket[]): Promise<string> {
  const sinceMs = performance.now()
  for (const agent of agents) void agent.run()
  await Promise.all(agents.map(agent => agent.entered(60_000)))
  return seconds(sinceMs)
}

async function run(instance: Instance, agents: AgentSocket[]): Promise<void> {
  const login = await instance.owner()
  const owner = new Owner(login, instance.channel)
  await owner.enter()
  await owner.ask('!version', /./)
  show(0, await memoryOf(instance.folder))
  let sinceMs = performance.now()
  const digits = String(many).length
  const last = String(many)
  const first = '1'.padStart(digits, '0')
  const told = await owner.ask(`!register agent-{${first}..${last}} for=30d rate=100/s`, /registered;|failed/)
  print('registered by one command', `${told.slice(0, 60)} in ${seconds(sinceMs)}`)
  const logins = await loginsIn(instance, login.port)
  if (logins.length !== many) throw new Error(`${logins.length} logins`)
  sinceMs = performance.now()
  for (const [index, { account }] of logins.entries()) {
    const type = types[index % types.length]
    if (type !== 'worker') await owner.ask(`!agent edit ${account} type=${type}`, new RegExp(account))
  }
  print('spread over three types', `by ${Math.floor((many * 2) / 3)} commands in ${seconds(sinceMs)}`)
  const answer = (words: string): string => `pong ${words.slice(0, 20)}`
  agents.push(...logins.map(each => new AgentSocket({ login: each, channel: instance.channel, answer })))
  const few = Math.min(100, many)
  print(`${few} log in and join`, await enter(agents.slice(0, few)))
  await seenBy(owner, few)
  show(few, await memoryOf(instance.folder))
  print(`${many - few} more log in and join`, await enter(agents.slice(few)))
  await seenBy(owner, many)
  await call(owner, '@all ping', many)
  await call(owner, '@scouts ping', Math.floor((many + 1) / 3))
  show(many, await memoryOf(instance.folder))
  await restart(instance, owner, agents)
}

/** Until admin knows that so many are there. */
async function seenBy(owner: Owner, online: number): Promise<void> {
  await until(`${online} online`, 60_000, async () => {
    const line = await owner.ask('!who', /^(\d+ online|\d+ never|\d+ idle)/)
    return line.startsWith(`${online} online`)
  })
}

async function restart(instance: Instance, owner: Owner, agents: readonly AgentSocket[]): Promise<void> {
  const sinceMs = performance.now()
  killNow(instance.ircd())
  await until('the connections to end', 20_000, async () => agents.every(agent => !agent.inside))
  await Promise.all(agents.map(agent => agent.entered(120_000)))
  print('IRC server killed: all back', seconds(sinceMs))
  owner.client.close()
  await owner.enter()
  await seenBy(owner, many)
  await call(owner, '@all ping', many)
  show(many, await memoryOf(instance.folder))
}

console.log(`${many} agents on ${values.server}`)
const instance = await Instance.start({ managed: values.server as ServerKind, external: null, config: settings })
const agents: AgentSocket[] = []
try {
  await run(instance, agents)
} finally {
  for (const agent of agents) agent.stop()
  await instance.close()
}
process.exit(0)
