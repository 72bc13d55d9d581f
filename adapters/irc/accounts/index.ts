import type { Accounts } from '../../../core/adapter.ts'
import type { Control } from '../control.ts'
import type { Line } from '../text/line.ts'
import { AnopeAccounts } from './anope.ts'
import { ErgoAccounts } from './ergo.ts'
import type { AccountHooks } from './hooks.ts'

/** What provisioning needs beyond the contract. */
export interface ManagedAccounts extends Accounts {
  verify(account: string, password: string): Promise<boolean>
  command(lines: readonly string[]): Promise<readonly Line[]>
  /** Moves what opens accounts to where it is kept now, where an earlier release kept it elsewhere. */
  takeOver?(): Promise<void>
  /** Leaves the server; a later act connects again. */
  close(): void
}

/** The accounts of the managed server. A network that somebody else runs has none that we may administer. */
export const accountsFor = (control: Control, hooks: AccountHooks = {}): ManagedAccounts =>
  control.server === 'ergo' ? new ErgoAccounts(control, hooks) : new AnopeAccounts(control, hooks)
