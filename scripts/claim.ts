/**
 * `npm run claim -- CODE`: hands over the login that waits for a code, or has the account made that it invites to, once.
 * Without CODE it is read from standard input.
 */
import { join as path } from 'node:path'
import { text } from 'node:stream/consumers'
import { redeem } from '../bots/admin/agents/claims.ts'
import { invited, join, joining } from '../bots/admin/invitations.ts'
import { welcome } from '../bots/admin/welcome.ts'
import { locations } from '../core/bot.ts'
import { asChanopError, ChanopError } from '../core/error.ts'
import type { Invitation } from '../core/ledger/claims.ts'
import { Ledger } from '../core/ledger/ledger.ts'
import { type Order, orderByKey } from '../core/ledger/orders.ts'
import { sleep } from '../core/retry.ts'
import { newPassword, Vault } from '../core/secrets.ts'

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

const code = process.argv[2] ?? (await text(process.stdin)).trim()
const { dataDir } = locations()
const ledger = Ledger.open(path(dataDir, 'ledger.db'))
try {
  const vault = await Vault.open(path(dataDir, 'keys', 'vault.key'), ledger)
  const found = await ledger.read(tx => invited(tx, code, Date.now()))
  const login = found
    ? await accept(ledger, vault, code, found)
    : (await ledger.write(tx => redeem(tx, vault, code, Date.now()))).login
  process.stdout.write(`${login}\n`)
} catch (error) {
  process.stderr.write(`claim: ${asChanopError(error).message}\n`)
  process.exitCode = 1
} finally {
  ledger.close()
}
