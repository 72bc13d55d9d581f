/**
 * Accounts of a managed Ergo: its HTTP API where that can do it, NickServ as an operator where it can't. What opens an account
 * is not Ergo's to know: passwords and certificates are kept by the guard of logins.
 */
import type { AccountInfo, Accounts } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import { deadline, sleep } from '../../../core/retry.ts'
import type { Control } from '../control.ts'
import { type Answer, askGuard, type Request } from '../logins/protocol.ts'
import type { Line } from '../text/line.ts'
import { callErgo, type ErgoAnswer, type ErgoApi } from './ergo-api.ts'
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
import { askServer, authenticate, ControlSession, noticesOf, type Wire } from './session.ts'

const endDeadlineMs = 3000

export class ErgoAccounts implements Accounts {
  readonly reserved: ReadonlySet<string>
  readonly #hooks: AccountHooks
  readonly #api: ErgoApi
  readonly #guard: string
  readonly #session: ControlSession

  constructor(control: Control, hooks: AccountHooks) {
    if (!control.api || !control.logins)
      throw new ChanopError('config-invalid', 'control.json of the managed Ergo is incomplete: run npm start again')
    this.#api = control.api
    this.#guard = control.logins
    this.reserved = reservedOf(control)
    this.#hooks = hooks
    this.#session = ergoSession(control, hooks)
  }

  async create(account: string, password: string): Promise<void> {
    checkAccount(account, 'ergo')
    checkPassword(password)
    if (await this.#exists(account)) {
      // The same random password shows that this is our own act again, after a crash.
      if (!(await this.verify(account, password))) throw alreadyThere(account)
      return
    }
    // The password first: an account that is there has one.
    await this.#ask({ act: 'password', account, password })
    const make = (): Promise<ErgoAnswer> => this.#call('ns/saregister', { accountName: account, passphrase: '' })
    let answer = await make()
    if (/registered previously|prior registration/.test(answer.error ?? '')) {
      // Its holder deleted it; Ergo keeps such a name from everybody until it is erased.
      await this.#erase(account)
      answer = await make()
    }
    if (!answer.success) throw failed(`the account ${account} was not made: ${answer.error ?? answer.errorCode}`)
  }

  async verify(account: string, password: string): Promise<boolean> {
    const right = (await this.#exists(account)) && (await this.#ask({ act: 'check', account, password })).ok
    return right && !(await this.#suspended(account))
  }

  async setPassword(account: string, password: string): Promise<void> {
    checkAccount(account, 'ergo')
    checkPassword(password)
    // Whatever Ergo itself still knows of a password goes.
    const answer = await this.#call('ns/passwd', { accountName: account, passphrase: '' })
    if (answer.errorCode === 'ACCOUNT_DOES_NOT_EXIST') throw unknown(account)
    if (!answer.success) throw failed(`the password of ${account} was not changed: ${answer.errorCode}`)
    await this.#ask({ act: 'password', account, password })
    await this.#hooks.renewed?.(account, password)
  }

  async unlock(what: string): Promise<number> {
    return (await this.#ask({ act: 'lift', what })).lifted ?? 0
  }

  async suspend(account: string, reason: string): Promise<number> {
    checkAccount(account, 'ergo')
    const before = await this.#sessions(account)
    const text = oneLine(reason) || 'suspended'
    // A reason that begins with the word DURATION would be read as one.
    const said = await this.#nickServ(`SUSPEND ADD ${account} ${/^duration\b/i.test(text) ? `for ${text}` : text}`)
    if (said.includes('No such account')) throw unknown(account)
    if (!said.includes('Successfully suspended')) throw failed(`${account} was not suspended: ${said}`)
    return this.#gone(account, before)
  }

  async restore(account: string): Promise<void> {
    checkAccount(account, 'ergo')
    const said = await this.#nickServ(`SUSPEND DEL ${account}`)
    if (said.includes('No such account')) throw unknown(account)
    if (!/Successfully un-suspended|was not suspended/.test(said)) throw failed(`${account} was not restored: ${said}`)
  }

  /** ERASE, not UNREGISTER: that would keep the name reserved for ever. */
  async drop(account: string): Promise<void> {
    checkAccount(account, 'ergo')
    await this.#erase(account)
    await this.#ask({ act: 'drop', account })
  }

  async #erase(account: string): Promise<void> {
    const asked = await this.#nickServ(`ERASE ${account}`)
    const code = /\/NS ERASE \S+ (\S+)/.exec(asked)?.[1]
    if (!code) throw failed(`${account} was not deleted: ${asked}`)
    const said = await this.#nickServ(`ERASE ${account} ${code}`)
    if (!/Successfully unregistered|does not exist/i.test(said)) throw failed(`${account} was not deleted: ${said}`)
  }

  async certificates(account: string): Promise<readonly string[]> {
    checkAccount(account, 'ergo')
    const kept = (await this.#ask({ act: 'certificates', account })).certificates ?? []
    return [...new Set([...kept, ...(await this.#planted(account))])]
  }

  /** Certificates that Ergo itself has: of before they were kept elsewhere. */
  async #planted(account: string): Promise<string[]> {
    const said = await this.#nickServ(`CERT LIST ${account}`)
    if (said.includes('does not exist')) throw unknown(account)
    if (!said.includes('authorized for account')) throw failed(`the certificates were not listed: ${said}`)
    return fingerprintsIn(said)
  }

  /** Takes to the guard what Ergo itself still has of certificates; with none of its own an account can be given none by its holder. */
  async takeOver(): Promise<void> {
    for (const account of await this.list()) {
      for (const fingerprint of await this.#planted(account)) {
        await this.addCertificate(account, fingerprint)
        await this.#nickServ(`CERT DEL ${account} ${fingerprint}`)
      }
    }
  }

  async list(): Promise<readonly string[]> {
    const answer = await this.#call('ns/list', {})
    if (!answer.success || !answer.accounts) throw failed(`the accounts were not listed: ${answer.errorCode}`)
    return answer.accounts.map(({ accountName }) => accountName.toLowerCase())
  }

  async addCertificate(account: string, fingerprint: string): Promise<void> {
    checkAccount(account, 'ergo')
    const hex = checkFingerprint(fingerprint)
    if (!(await this.#exists(account))) throw unknown(account)
    const { ok } = await this.#ask({ act: 'certificate-add', account, fingerprint: hex })
    if (!ok) throw new ChanopError('conflict', 'that certificate belongs to another account; make a new one')
  }

  async removeCertificate(account: string, fingerprint: string): Promise<void> {
    checkAccount(account, 'ergo')
    const hex = checkFingerprint(fingerprint)
    if ((await this.#planted(account)).includes(hex)) await this.#nickServ(`CERT DEL ${account} ${hex}`)
    await this.#ask({ act: 'certificate-del', account, fingerprint: hex })
  }

  async get(account: string): Promise<AccountInfo | null> {
    checkAccount(account, 'ergo')
    const [info, settings] = await Promise.all([
      this.#call('ns/info', { accountName: account }),
      this.#call('ns/saget', { accountName: account }),
    ])
    if (!info.success && settings.errorCode === 'ACCOUNT_DOES_NOT_EXIST') {
      return (await this.#suspended(account)) ? { account, suspended: true, sessions: 0 } : null
    }
    return { account, suspended: await this.#suspended(account), sessions: await this.#sessions(account) }
  }

  async endSessions(account: string, reason: string): Promise<number> {
    checkAccount(account, 'ergo')
    const before = await this.#sessions(account)
    if (before === 0) return 0
    await this.#session.run(wire => askServer(wire, [`KILL ${account} :${oneLine(reason) || 'ended'}`]))
    return this.#gone(account, before)
  }

  async #gone(account: string, before: number): Promise<number> {
    const until = deadline(endDeadlineMs)
    while ((await this.#sessions(account)) > 0) {
      if (until.aborted) throw failed(`sessions of ${account} are still there`)
      await sleep(20, until)
    }
    return before
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

  async #suspended(account: string): Promise<boolean> {
    const listed = await this.#nickServ('SUSPEND LIST')
    return listed.split('\n').some(line => line.toLowerCase().startsWith(`account ${account.toLowerCase()} suspended`))
  }

  /** The nick is the account (force-nick-equals-account), so that asking for the nick finds all of its sessions. */
  async #sessions(account: string): Promise<number> {
    const who = await this.#call('whois', { nickname: account })
    return who.present && who.account?.toLowerCase() === account.toLowerCase() ? (who.session_count ?? 1) : 0
  }

  async #nickServ(command: string): Promise<string> {
    const lines = await this.#session.run(wire => askServer(wire, [`PRIVMSG NickServ :${command}`]))
    return noticesOf(lines, 'NickServ').join('\n')
  }

  async #exists(account: string): Promise<boolean> {
    return (await this.#call('ns/saget', { accountName: account })).errorCode !== 'ACCOUNT_DOES_NOT_EXIST'
  }

  #ask(request: Request): Promise<Answer> {
    return askGuard(this.#guard, request)
  }

  #call(path: string, body: object): Promise<ErgoAnswer> {
    return callErgo(this.#api, path, body)
  }
}

function ergoSession(control: Control, { changed }: AccountHooks): ControlSession {
  const { name, password } = control.oper
  const login = async (wire: Wire): Promise<void> => {
    if (!(await authenticate(wire, name, control.accounts[name] ?? '')))
      throw refused('the IRC server refuses the control account: run npm start again')
    await wire.ask([`NICK ${name}`, 'USER chanop 0 * :Chanop control', 'CAP END'], line => line.command === '001')
    const lines = await askServer(wire, [`OPER ${name} ${password}`])
    // 400: another session of this account is operator already, and they share that.
    if (!lines.some(line => line.command === '381' || line.command === '400'))
      throw refused('the IRC server refuses the control session as operator: run npm start again')
  }
  return new ControlSession({ target: control.plain, login, changed })
}
