/**
 * Agents are registered, rotated, revoked and restored while `admin`, `bridge` and the IRC server are killed with SIGKILL:
 * `node test/agents-crash.ts [--runs 200] [--seed N] [--server ergo]`. After each run records and accounts must agree.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { accountsFor, type ManagedAccounts } from '../adapters/irc/accounts/index.ts'
import { readControl } from '../adapters/irc/control.ts'
import { type Line, lastParam } from '../adapters/irc/text/line.ts'
import { type Agent, agentNamed } from '../core/ledger/agents/agents.ts'
import { Ledger } from '../core/ledger/ledger.ts'
import { sql } from '../core/ledger/sqlite.ts'
import type { Tx } from '../core/ledger/tx.ts'
import { sleep } from '../core/retry.ts'
import { Instance, killNow, type ServerKind, until } from './instance.ts'
import { Client, type Login, persist } from './irc.ts'
import { randomFrom } from './kill/killer.ts'

const targets = ['admin', 'bridge', 'ircd'] as const
type Target = (typeof targets)[number]

export interface CrashOptions {
  readonly runs: number
  readonly seed: number
  readonly server: ServerKind
  /** Who is killed, in turn. */
  readonly targets?: readonly Target[]
  readonly say: (text: string) => void
}

export interface CrashOutcome {
  readonly kills: number
  /** How the records ended. */
  readonly states: Readonly<Record<string, number>>
  readonly findings: readonly string[]
}

const unlimited = 'commands: { perMinute: 6000, burst: 1000 }\n'
const answerMs = 4000
const comesBackMs = 45_000

/** The owner, who types commands and keeps every login that was told. */
class Owner {
  readonly logins = new Map<string, string[]>()
  readonly #stop = new AbortController()
  readonly #client: Client
  readonly #channel: string
  readonly #running: Promise<void>

  constructor(login: Login, channel: string) {
    this.#channel = channel
    this.#client = new Client(login, { line: line => this.#line(line), closed: () => undefined })
    this.#running = this.#stay()
  }

  async #stay(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      if (!this.#client.open) await persist(() => this.#client.login(), signal)
      this.#client.write(`JOIN ${this.#channel}`)
      while (this.#client.open && !signal.aborted) await sleep(20, signal)
    }
  }

  #line(line: Line): void {
    const found = /account=(\S+) password=(\S+)/.exec(lastParam(line))
    if (!found || line.params[0]?.startsWith('#')) return
    const [, name = '', password = ''] = found
    this.logins.set(name, [...(this.logins.get(name) ?? []), password])
  }

  /** Says it and waits a while for an answer: after a kill there may be none. */
  async asks(words: string, answer: RegExp): Promise<boolean> {
    await until('the owner', comesBackMs, async () => this.#client.open)
    const heard = this.#client.wait(line => answer.test(lastParam(line)), answerMs)
    this.#client.write(`PRIVMSG ${this.#channel} :${words}`)
    return heard.then(
      () => true,
      () => false,
    )
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#client.close()
    await this.#running
  }
}

class Crash {
  readonly findings: string[] = []
  readonly states: Record<string, number> = {}
  kills = 0
  readonly #o: CrashOptions
  readonly #instance: Instance
  readonly #ledger: Ledger
  readonly #accounts: ManagedAccounts
  readonly #owner: Owner
  readonly #random: () => number

  constructor(
    options: CrashOptions,
    parts: { instance: Instance; ledger: Ledger; accounts: ManagedAccounts; owner: Owner },
  ) {
    this.#o = options
    this.#instance = parts.instance
    this.#ledger = parts.ledger
    this.#accounts = parts.accounts
    this.#owner = parts.owner
    this.#random = randomFrom(options.seed)
  }

  async run(): Promise<void> {
    await this.#quiet()
    for (let n = 1; n <= this.#o.runs; n++) {
      const name = `run-${n}`
      const chosen = this.#o.targets ?? targets
      const target = chosen[n % chosen.length] as Target
      const killing = this.#kill(target)
      const told = await this.#story(name)
      await killing
      await this.#quiet()
      await this.#judge(name, told)
      if (n % 10 === 0) this.#o.say(`${n} of ${this.#o.runs}: ${this.kills} kills, ${this.findings.length} findings`)
    }
  }

  /** True when the last word was a new password, heard by its owner. */
  async #story(name: string): Promise<boolean> {
    await this.#owner.asks(`!register ${name}`, new RegExp(`${name} (is|has) `))
    let fresh = await this.#owner.asks(`!rotate ${name}`, new RegExp(`${name} has a new password`))
    if (this.#random() < 0.6) {
      fresh = false
      await this.#owner.asks(`!revoke ${name} a test`, new RegExp(`${name} is revoked`))
      if (this.#random() < 0.3) await this.#owner.asks(`!restore ${name}`, new RegExp(`${name} is restored`))
    }
    return fresh
  }

  async #kill(target: Target): Promise<void> {
    await sleep(this.#random() * 400)
    const { pid } =
      target === 'ircd' ? { pid: this.#instance.ircd() } : ((await this.#instance.bot(target)) ?? { pid: NaN })
    if (killNow(pid)) this.kills++
  }

  /** Everything is up and no order is open. */
  async #quiet(): Promise<void> {
    await until('everything to be up and done', comesBackMs, async () => {
      const bots = await Promise.all(targets.slice(0, 2).map(name => this.#instance.bot(name as 'admin' | 'bridge')))
      if (bots.some(bot => bot?.state !== 'ready' || !alive(bot.pid))) return false
      // Whatever was still on its way is answered before this, and then its orders are known.
      if (!(await this.#owner.asks('!version', /\d+\.\d+\.\d+/))) return false
      const open = await this.#ledger.read(
        db => sql(db, 'SELECT count(*) AS n FROM orders WHERE state < 10').get()?.['n'],
      )
      return open === 0
    })
  }

  async #judge(name: string, fresh: boolean): Promise<void> {
    const agent = await this.#ledger.read(db => agentNamed(db, name))
    const account = await this.#accounts.get(name)
    const state = agent?.state ?? 'none'
    this.states[state] = (this.states[state] ?? 0) + 1
    const passwords = [...new Set(this.#owner.logins.get(name))]
    const open: string[] = []
    for (const password of passwords) if (await this.#accounts.verify(name, password)) open.push(password)
    const wrong = verdict({
      agent,
      account,
      told: passwords.length,
      open: open.length,
      newest: !fresh || open[0] === passwords.at(-1),
    })
    if (wrong === null) return
    const evidence = await this.#ledger.read(db => ordersOf(db, name))
    const told = `${name}: ${wrong}; account ${JSON.stringify(account)}, ${open.length} of ${passwords.length} open; ${evidence}`
    this.findings.push(told)
    this.#o.say(told)
  }
}

const ordersOf = (db: Tx, name: string): string =>
  sql(db, "SELECT kind, state, attempts, result, error FROM orders WHERE args ->> 'account' = ? ORDER BY id")
    .all(name)
    .map(row => Object.values(row).join(' '))
    .join(' | ')

function verdict(found: {
  readonly agent: Agent | null
  readonly account: { readonly suspended: boolean } | null
  readonly told: number
  readonly open: number
  readonly newest: boolean
}): string | null {
  const { agent, account, open, newest, told } = found
  if (open > 1) return 'two passwords are valid'
  if (!agent) return account ? 'an account without a record' : null
  if (!account) return `the record is ${agent.state} and there is no account`
  if (agent.state === 'revoked') return open > 0 || !account.suspended ? 'revoked, and its account is open' : null
  if (agent.state !== 'active') return `the record stays ${agent.state}`
  if (account.suspended) return 'active, and its account is suspended'
  return newest || told === 0 ? null : 'the newest password that was told is not the valid one'
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    // ESRCH: it was killed and what it wrote of itself is old.
    return false
  }
}

export async function crashRun(options: CrashOptions): Promise<CrashOutcome> {
  const instance = await Instance.start({ managed: options.server, external: null, config: unlimited })
  const accounts = accountsFor(await readControl(instance.data))
  const ledger = Ledger.open(join(instance.data, 'ledger.db'))
  const owner = new Owner(await instance.owner(), instance.channel)
  const crash = new Crash(options, { instance, ledger, accounts, owner })
  try {
    await crash.run()
    return { kills: crash.kills, states: crash.states, findings: crash.findings }
  } finally {
    await owner.close()
    accounts.close()
    ledger.close()
    await instance.close()
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '200' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      server: { type: 'string', default: 'ergo' },
      targets: { type: 'string', default: targets.join(',') },
    },
  })
  const server = values.server === 'inspircd' ? 'inspircd' : 'ergo'
  console.log(`seed ${values.seed}: ${values.runs} runs on ${server}`)
  const outcome = await crashRun({
    runs: Number(values.runs),
    seed: Number(values.seed),
    server,
    targets: targets.filter(target => values.targets.split(',').includes(target)),
    say: text => console.log(text),
  })
  console.log(`kills ${outcome.kills}; records ${JSON.stringify(outcome.states)}; findings ${outcome.findings.length}`)
  process.exit(outcome.findings.length === 0 ? 0 : 1)
}
