/** A real Matrix homeserver for tests: on a free loopback port, in a fresh folder, gone with the test. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { deadline, sleep } from '../../../core/retry.ts'
import { Client } from './client.ts'
import { synapsePython } from './synapse-home.ts'

const startMs = 60_000
/** Sums up to what a test says, however fast. */
const unlimited = { per_second: 1e6, burst_count: 1e6 }

/** null: Synapse can run here. Otherwise why a suite is left out: for `{ skip: reason ?? false }`. */
export async function synapseMissing(): Promise<string | null> {
  const python = synapsePython()
  return access(python).then(
    () => null,
    () => `no Synapse at ${python}: npm test puts one there`,
  )
}

export interface SynapseOptions {
  /** What is set beside, or instead of, what tests usually need: keys of `homeserver.yaml`. */
  readonly settings?: Readonly<Record<string, unknown>>
}

interface TestContext {
  after(done: () => Promise<void>): void
}

export class Synapse {
  readonly dir: string
  readonly #secret = randomBytes(12).toString('hex')
  readonly #settings: Record<string, unknown>
  #process: ChildProcess | null = null
  #port = 0

  private constructor(dir: string, settings: SynapseOptions['settings']) {
    this.dir = dir
    this.#settings = { ...usual(dir, this.#secret), ...settings }
  }

  static async start(t: TestContext | null, { settings = {} }: SynapseOptions = {}): Promise<Synapse> {
    const synapse = new Synapse(await mkdtemp(join(tmpdir(), 'chanop-synapse-')), settings)
    t?.after(() => synapse.stop())
    await synapse.up()
    return synapse
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get port(): number {
    return this.#port
  }

  /** Starts it, on the same port as before, and waits until it answers. What was there before is gone unless `settings` has a database. */
  async up(): Promise<void> {
    const log = join(this.dir, 'homeserver.log')
    await rm(log, { force: true })
    await this.#configure(log)
    const args = ['-m', 'synapse.app.homeserver', '-c', join(this.dir, 'homeserver.yaml')]
    const [command, ...rest] = [...(await tied()), synapsePython(), ...args] as [string, ...string[]]
    // Compiled once, not at every start: half of what a start takes.
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '' }
    this.#process = spawn(command, rest, { cwd: this.dir, env, stdio: ['ignore', 'ignore', 'pipe'] })
    const complaints: string[] = []
    this.#process.stderr?.on('data', chunk => complaints.push(String(chunk)))
    const ended = once(this.#process, 'exit').then(() => {
      throw new Error(`Synapse ended while it started: ${complaints.join('').slice(-2000)}`)
    })
    ended.catch(() => undefined)
    await Promise.race([this.#answering(log), ended])
  }

  async #configure(log: string): Promise<void> {
    const listener = {
      port: this.#port,
      type: 'http',
      bind_addresses: ['127.0.0.1'],
      tls: false,
      resources: [{ names: ['client', 'media'] }],
    }
    await writeFile(join(this.dir, 'log.json'), JSON.stringify(logging(log)))
    const settings = { ...this.#settings, listeners: [listener] }
    await writeFile(join(this.dir, 'homeserver.yaml'), JSON.stringify(settings))
  }

  /** It says on which port it listens before it answers there. */
  async #answering(log: string): Promise<void> {
    const signal = deadline(startMs)
    while (!signal.aborted) {
      const written = await readFile(log, 'utf8').catch(() => '')
      const port = /now listening on TCP port (\d+)/.exec(written)?.[1]
      if (port) {
        this.#port = Number(port)
        const answer = await fetch(`${this.url}/health`, { signal }).catch(() => null)
        if (answer?.ok) return
      }
      await sleep(20, signal)
    }
    throw new Error('Synapse did not answer in time')
  }

  /** Makes an account and says who it is; its token can speak at once. */
  async register(name: string, { admin = false } = {}): Promise<Client> {
    const at = `${this.url}/_synapse/admin/v1/register`
    const { nonce } = (await (await fetch(at)).json()) as { nonce: string }
    const password = randomBytes(9).toString('hex')
    const said = [nonce, name, password, admin ? 'admin' : 'notadmin'].join('\0')
    const mac = createHmac('sha1', this.#secret).update(said).digest('hex')
    const body = JSON.stringify({ nonce, username: name, displayname: name, password, admin, mac })
    const answer = await fetch(at, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    const account = (await answer.json()) as { user_id: string; access_token: string; device_id: string }
    if (!answer.ok) throw new Error(`no account ${name}: ${JSON.stringify(account)}`)
    return new Client(() => this.url, { ...account, password })
  }

  /** Sends the server a signal and waits until it is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const running = this.#process
    this.#process = null
    if (!running || running.exitCode !== null || running.signalCode !== null) return
    const gone = once(running, 'exit')
    running.kill(signal)
    await gone
  }

  async stop(): Promise<void> {
    await this.kill('SIGKILL')
    await rm(this.dir, { recursive: true, force: true })
  }
}

/** Nothing is left running when a test runner is killed. */
async function tied(): Promise<string[]> {
  const there = await promisify(execFile)('setpriv', ['--version']).catch(() => null)
  return there ? ['setpriv', '--pdeathsig', 'KILL', '--'] : []
}

const logging = (file: string): unknown => ({
  version: 1,
  formatters: { plain: { format: '%(levelname)s %(name)s %(message)s' } },
  handlers: { file: { class: 'logging.FileHandler', filename: file, formatter: 'plain' } },
  loggers: { 'synapse.app._base': { level: 'INFO' } },
  root: { level: 'WARNING', handlers: ['file'] },
})

function usual(dir: string, secret: string): Record<string, unknown> {
  const limits = Object.fromEntries(
    ['message', 'registration', 'joins_per_room', 'room_creation', 'admin_redaction', 'media_create', 'profile']
      .concat(['user_directory', 'reports'])
      .map(name => [`rc_${name}`, unlimited]),
  )
  return {
    server_name: 'test.local',
    // Half the work of a file; gone with the process.
    database: { name: 'sqlite3', args: { database: ':memory:' } },
    media_store_path: join(dir, 'media'),
    log_config: join(dir, 'log.json'),
    pid_file: join(dir, 'pid'),
    signing_key: `ed25519 a_test ${randomBytes(32).toString('base64').replace(/=+$/, '')}`,
    macaroon_secret_key: 'test',
    form_secret: 'test',
    registration_shared_secret: secret,
    enable_registration: false,
    bcrypt_rounds: 4,
    report_stats: false,
    trusted_key_servers: [],
    suppress_key_server_warning: true,
    federation_domain_whitelist: [],
    presence: { enabled: false },
    url_preview_enabled: false,
    enable_authenticated_media: true,
    ...limits,
    rc_joins: { local: unlimited, remote: unlimited },
    rc_invites: { per_room: unlimited, per_user: unlimited, per_issuer: unlimited },
    rc_login: { address: unlimited, account: unlimited, failed_attempts: unlimited },
    rc_presence: { per_user: unlimited },
  }
}
