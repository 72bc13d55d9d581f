/**
 * `npm run claim -- CODE`: hands over the login that waits for a code, or has the account made that it invites to, once.
 * Without CODE it is read from standard input.
 */
import { text } from 'node:stream/consumers'
import { redeem } from '../bots/admin/agents/claims.ts'
import { invited, join, joining } from '../bots/admin/invitations.ts'
import { welcome } from '../bots/admin/welcome.ts'
import { ChanopError } from '../core/error.ts'
import type { Ledger } from '../core/ledger/ledger.ts'
import { type Order, orderByKey } from '../core/ledger/out/orders.ts'
import type { Invitation } from '../core/ledger/people/claims.ts'
import { newPassword } from '../core/new-password.ts'
import { sleep } from '../core/retry.ts'
import { Vault } from '../core/vault/secrets.ts'
import { misused, readArguments } from './arguments.ts'
import { openLedger } from './boot/upgrade.ts'
import { demandLedger, instanceOf } from './instance.ts'
import { script } from './steps.ts'

const usage = `usage: npm run claim -- CODE
Hands over the login that a code stands for, or has the account made that it invites to, once. Without CODE it is read from
standard input.`

const madeWithinMs = 30_000
const lookEveryMs = 100

/** The bots make the account; the code is used up with the order. */
async function accept(ledger: Ledger, vault: Vault, code: string, found: Invitation): Promise<string> {
  const { user: account, network } = found
  const password = newPassword()
  const order = joining(vault, code, found, password)
  await ledger.write(tx => join(tx, code, order, Date.now()))
  const { state, error } = await ended(ledger, order.key, AbortSignal.timeout(madeWithinMs))
  if (state === 'done') return ledger.read(tx => welcome(tx, { account, network }, password))
  if (state === 'failed')
    throw new ChanopError('account-failed', `${account} has no account: ${error}; ask for another code`)
  const then = `npm start, and once it is there npm run passwd -- ${account} gives its login`
  throw new ChanopError('account-failed', `the account ${account} is ordered and not made yet: ${then}`)
}

async function ended(ledger: Ledger, key: string, signal: AbortSignal): Promise<Pick<Order, 'state' | 'error'>> {
  for (;;) {
    const order = await ledger.read(tx => orderByKey(tx, key))
    if (!order) throw new ChanopError('internal', `the order ${key} is gone`)
    if (signal.aborted || order.state === 'done' || order.state === 'failed') return order
    await sleep(lookEveryMs, signal)
  }
}

/** A code as argument can be read by others in the list of processes; on standard input it can't. */
async function codeOf([given]: readonly string[]): Promise<string> {
  const code = given ?? (process.stdin.isTTY ? '' : await text(process.stdin))
  if (code.trim() === '') throw misused('say which code', usage)
  return code.trim()
}

async function main(): Promise<number> {
  const read = readArguments(usage, {}, 1)
  if (!read) return 0
  const code = await codeOf(read.positionals)
  const instance = instanceOf()
  const { paths } = instance
  demandLedger(instance)
  using ledger = await openLedger(paths)
  const vault = await Vault.open(paths.vaultKey, ledger)
  const found = await ledger.read(tx => invited(tx, code, Date.now()))
  const login = found
    ? await accept(ledger, vault, code, found)
    : (await ledger.write(tx => redeem(tx, vault, code, Date.now()))).login
  console.log(login)
  return 0
}

await script(main)
