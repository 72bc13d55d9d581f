import type { AccountInfo, Accounts } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { Faults } from './faults.ts'

interface Account {
  password: string | null
  suspended: boolean
  readonly certificates: Set<string>
}

/** Who is logged in, and how a login is ended: the server's part. */
export interface Sessions {
  count(account: string): number
  end(account: string, reason: string): number
}

/** The server's accounts, all in memory. */
export class MemoryAccounts implements Accounts {
  /** A test adds what the system itself uses. */
  readonly reserved = new Set<string>()
  readonly #all = new Map<string, Account>()
  readonly #sessions: Sessions
  readonly #faults: Faults

  constructor(sessions: Sessions, faults: Faults) {
    this.#sessions = sessions
    this.#faults = faults
  }

  async create(account: string, password: string): Promise<void> {
    this.#check()
    const known = this.#all.get(account)
    // The same random password shows that this is the same act again.
    if (known?.password === password) return
    if (known) throw new ChanopError('account-exists', `The account ${account} exists; choose another name.`)
    this.#all.set(account, { password, suspended: false, certificates: new Set() })
  }

  async setPassword(account: string, password: string): Promise<void> {
    this.#known(account).password = password
  }

  async suspend(account: string, reason: string): Promise<number> {
    this.#known(account).suspended = true
    return this.#sessions.end(account, reason)
  }

  async restore(account: string): Promise<void> {
    this.#known(account).suspended = false
  }

  async drop(account: string): Promise<void> {
    this.#check()
    this.#all.delete(account)
    this.#sessions.end(account, 'account dropped')
  }

  async certificates(account: string): Promise<readonly string[]> {
    return [...this.#known(account).certificates]
  }

  async list(): Promise<readonly string[]> {
    this.#check()
    return [...this.#all.keys()].map(name => name.toLowerCase())
  }

  async addCertificate(account: string, fingerprint: string): Promise<void> {
    this.#known(account).certificates.add(fingerprint)
  }

  async removeCertificate(account: string, fingerprint: string): Promise<void> {
    this.#known(account).certificates.delete(fingerprint)
  }

  async get(account: string): Promise<AccountInfo | null> {
    this.#check()
    const found = this.#all.get(account)
    return found ? { account, suspended: found.suspended, sessions: this.#sessions.count(account) } : null
  }

  async endSessions(account: string, reason: string): Promise<number> {
    this.#known(account)
    return this.#sessions.end(account, reason)
  }

  /** A test's person brings an account along; one without a password can't be logged in to by anyone else. */
  ensure(account: string): void {
    if (!this.#all.has(account)) this.#all.set(account, { password: null, suspended: false, certificates: new Set() })
  }

  /** Whether this password, or this certificate's fingerprint, opens the account now. */
  opens(account: string, credential: string): boolean {
    const found = this.#all.get(account)
    if (!found || found.suspended) return false
    return found.password === credential || found.certificates.has(credential)
  }

  #check(): void {
    if (this.#faults.takeAccountRefusal())
      throw new ChanopError('account-failed', 'The account service does not answer.')
  }

  #known(account: string): Account {
    this.#check()
    const found = this.#all.get(account)
    if (!found) throw new ChanopError('account-unknown', `There is no account ${account}.`)
    return found
  }
}
