/**
 * Accounts of a managed InspIRCd with Anope, over the server's own unix socket: the control session is an IRC operator and
 * logged in to the services. Every change is followed by UPDATE: before that Anope keeps it in memory only.
 */
import { randomBytes } from 'node:crypto'
import type { AccountInfo, Accounts } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import { deadline, sleep } from '../../../core/retry.ts'
import { type Control, identifyCommand } from '../control.ts'
import { askGuard } from '../logins/protocol.ts'
import { type Line, lastParam } from '../text/line.ts'
import type { AccountHooks } from './hooks.ts'
import {
  alreadyThere,
  checkAccount,
  checkFingerprint,
  checkPassword,
  failed,
  fingerprintsIn,
  oneLine,
  refused,
  reservedOf,
  unknown,
} from './names.ts'
import { askServer, authenticate, ControlSession, noticesOf, Wire } from './session.ts'
import { countSessions, endSessions } from './sessions.ts'

const temporaryNick = (prefix: string): string => `${prefix}-${randomBytes(6).toString('hex')}`

export class AnopeAccounts implements Accounts {
  readonly reserved: ReadonlySet<string>
  readonly #hooks: AccountHooks
  readonly #control: Control
  readonly #socket: string
  readonly #guard: string
  readonly #register: string
  readonly #identify: string
  readonly #session: ControlSession

  constructor(control: Control, hooks: AccountHooks) {
    if (!control.socket || !control.registerCommand || !control.logins)
      throw new ChanopError('config-invalid', 'control.json of the managed InspIRCd is incomplete: run npm start again')
    this.#control = control
    this.reserved = reservedOf(control)
    this.#hooks = hooks
    this.#socket = control.socket
    this.#guard = control.logins
    this.#register = control.registerCommand
    this.#identify = identifyCommand(control)
    this.#session = new ControlSession({
      target: { path: this.#socket },
      login: wire => this.#login(wire),
      changed: hooks.changed,
    })
  }

  async create(account: string, password: string): Promise<void> {
    checkAccount(account, 'inspircd')
    checkPassword(password)
    await this.#session.run(async wire => {
      if (await this.#exists(wire, account)) {
        // The same random password shows that this is our own act again, after a crash.
        if (!(await this.verify(account, password))) throw alreadyThere(account)
      } else await this.#make(wire, account, password)
      await this.#save(wire)
    })
  }

  /** Whether a login with this password would be let in. */
  async verify(account: string, password: string): Promise<boolean> {
    const wire = await Wire.open({ path: this.#socket })
    try {
      return await authenticate(wire, account, password)
    } finally {
      wire.close()
    }
  }

  async setPassword(account: string, password: string): Promise<void> {
    checkAccount(account, 'inspircd')
    checkPassword(password)
    await this.#change(account, `SASET PASSWORD ${account} ${password}`, /Password for .* changed/i)
    // Whoever guessed at the old one knows nothing of this one.
    await this.unlock(account)
    await this.#hooks.renewed?.(account, password)
  }

  async unlock(what: string): Promise<number> {
    return (await askGuard(this.#guard, { act: 'lift', what })).lifted ?? 0
  }

  async suspend(account: string, reason: string): Promise<number> {
    checkAccount(account, 'inspircd')
    const text = oneLine(reason) || 'suspended'
    // A first word with + in front would be read as a time.
    const shown = text.startsWith('+') ? `for ${text}` : text
    return this.#session.run(wire =>
      endSessions(wire, account, text, () =>
        this.#tell(wire, account, `SUSPEND ${account} ${shown}`, /is now suspended|already suspended/i),
      ),
    )
  }

  async restore(account: string): Promise<void> {
    checkAccount(account, 'inspircd')
    await this.#change(account, `UNSUSPEND ${account}`, /now released|not suspended/i)
  }

  async drop(account: string): Promise<void> {
    checkAccount(account, 'inspircd')
    await this.#session.run(wire =>
      endSessions(wire, account, 'this account was deleted', async () => {
        const said = await this.#services(wire, 'NickServ', `DROP ${account}`)
        if (!/has been dropped|isn't registered|dropped/i.test(said))
          throw failed(`${account} was not deleted: ${said}`)
        await this.#save(wire)
      }),
    )
  }

  async certificates(account: string): Promise<readonly string[]> {
    checkAccount(account, 'inspircd')
    const said = await this.#session.run(wire => this.#services(wire, 'NickServ', `CERT LIST ${account}`))
    if (notRegistered.test(said)) throw unknown(account)
    return fingerprintsIn(said)
  }

  async list(): Promise<readonly string[]> {
    const said = await this.#session.run(wire => this.#services(wire, 'NickServ', 'LIST *'))
    const whole = /End of list - (\d+)\/(\d+) /.exec(said)
    if (!whole || whole[1] !== whole[2]) throw failed(`the accounts were not listed: ${said.slice(0, 200)}`)
    // A heading in two lines, the names, the end.
    return said
      .split('\n')
      .slice(2, -1)
      .map(line => (line.split(' ')[0] ?? '').toLowerCase())
  }

  async addCertificate(account: string, fingerprint: string): Promise<void> {
    checkAccount(account, 'inspircd')
    const hex = checkFingerprint(fingerprint)
    await this.#change(account, `CERT ADD ${account} ${hex}`, /added to|already present/i)
  }

  async removeCertificate(account: string, fingerprint: string): Promise<void> {
    checkAccount(account, 'inspircd')
    const hex = checkFingerprint(fingerprint)
    await this.#change(account, `CERT DEL ${account} ${hex}`, /deleted from|not found on/i)
  }

  async get(account: string): Promise<AccountInfo | null> {
    checkAccount(account, 'inspircd')
    return this.#session.run(async wire => {
      const said = await this.#services(wire, 'NickServ', `INFO ${account}`)
      if (notRegistered.test(said)) return null
      return { account, suspended: /suspended/i.test(said), sessions: await countSessions(wire, account) }
    })
  }

  async endSessions(account: string, reason: string): Promise<number> {
    checkAccount(account, 'inspircd')
    return this.#session.run(wire => endSessions(wire, account, oneLine(reason) || 'ended'))
  }

  /** IRC commands as the operator, with all that the server answers to them. */
  command(lines: readonly string[]): Promise<readonly Line[]> {
    return this.#session.run(wire => askServer(wire, lines))
  }

  get fault(): string | null {
    return this.#session.refused
  }

  close(): void {
    this.#session.close()
  }

  async #login(wire: Wire): Promise<void> {
    const { name, password } = this.#control.oper
    await enter(wire, temporaryNick('control'))
    const opered = await askServer(wire, [`OPER ${name} ${password}`])
    if (!opered.some(line => line.command === '381'))
      throw refused('the IRC server refuses the control session as operator: run npm start again')
    const secret = this.#control.accounts[name] ?? ''
    const said = await this.#services(wire, 'NickServ', `${this.#identify} ${name} ${secret}`)
    if (/accepted|recogni[sz]ed|already/i.test(said)) return
    if (!notRegistered.test(said)) throw refused(`the account service refuses the control account: ${said}`)
    await this.#make(wire, name, secret)
    await this.#services(wire, 'NickServ', `${this.#identify} ${name} ${secret}`)
    await this.#save(wire)
  }

  #change(account: string, command: string, done: RegExp): Promise<void> {
    return this.#session.run(wire => this.#tell(wire, account, command, done))
  }

  async #tell(wire: Wire, account: string, command: string, done: RegExp): Promise<void> {
    const said = await this.#services(wire, 'NickServ', command)
    if (notRegistered.test(said)) throw unknown(account)
    if (!done.test(said)) throw failed(`${account} was not changed: ${said}`)
    await this.#save(wire)
  }

  async #exists(wire: Wire, account: string): Promise<boolean> {
    return !notRegistered.test(await this.#services(wire, 'NickServ', `INFO ${account}`))
  }

  /**
   * REGISTER acts on the nick that is held now and logs its holder in, so the session takes the nick (as an operator: nicks
   * kept for bots can be had no other way), is sure that it has it, registers, and becomes itself again.
   */
  async #make(wire: Wire, account: string, password: string): Promise<void> {
    try {
      await this.#takeNick(wire, account)
      const said = await this.#services(wire, 'NickServ', `${this.#register} ${password}`)
      if (!/^Nickname .* registered/im.test(said)) throw failed(`the account ${account} was not made: ${said}`)
      await askServer(wire, [`SANICK ${account} ${temporaryNick('control')}`])
      const { name } = this.#control.oper
      if (account !== name)
        await this.#services(wire, 'NickServ', `${this.#identify} ${name} ${this.#control.accounts[name]}`)
    } catch (error) {
      // Nobody knows now who this session is: the next act begins with a fresh one.
      wire.close()
      throw error
    }
  }

  async #takeNick(wire: Wire, account: string): Promise<void> {
    const until = deadline(5000)
    while (!until.aborted) {
      // Every numeric begins with the nick that we have now; after 'SANICK' that is the account's, if we got it.
      const own = ownNick(await askServer(wire, [`ISON ${account}`]))
      // Somebody may use the nick without an account of that name: an account goes before a nick. In one go, because a
      // bot that lost its nick takes it again at once.
      const away = `SANICK ${account} ${temporaryNick('renamed')}`
      const after = ownNick(await askServer(wire, [away, `SANICK ${own} ${account}`, `ISON ${account}`]))
      if (after === account) return
      await sleep(50, until)
    }
    throw failed(`the nick ${account} could not be had, so that its account was not made`)
  }

  async #save(wire: Wire): Promise<void> {
    const said = await this.#services(wire, 'OperServ', 'UPDATE')
    if (!/Updating databases/i.test(said)) throw failed(`the account service did not save: ${said}`)
  }

  /** Services answer by notices without an end mark, so a CTCP PING follows: its answer comes after all of them. */
  async #services(wire: Wire, service: string, command: string): Promise<string> {
    const mark = randomBytes(6).toString('hex')
    const end = (line: Line): boolean =>
      (line.command === 'NOTICE' && lastParam(line).includes(mark)) || line.command === '401'
    const lines = await wire.ask([`PRIVMSG ${service} :${command}`, `PRIVMSG ${service} :\x01PING ${mark}\x01`], end)
    if (lines.at(-1)?.command === '401') throw failed('the account service is not there now')
    return noticesOf(lines, service)
      .filter(text => !text.includes(mark))
      .join('\n')
  }
}

const notRegistered = /isn't registered|is not registered|not a registered/i

const ownNick = (lines: readonly Line[]): string => lines.find(line => line.command === '303')?.params[0] ?? ''

async function enter(wire: Wire, nick: string): Promise<void> {
  await wire.ask([`NICK ${nick}`, 'USER chanop 0 * :Chanop control'], line => line.command === '001')
}
