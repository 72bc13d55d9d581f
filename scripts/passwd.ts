/** `npm run passwd -- ACCOUNT`: a new password for any account of the managed IRC server, from its host, without chat. */
import { existsSync } from 'node:fs'
import { accountsFor } from '../adapters/irc/accounts/index.ts'
import { readControl } from '../adapters/irc/control.ts'
import { renewOwnerLogin } from '../adapters/irc/server/owner-login.ts'
import { clearPlanted } from '../bots/bridge/orders/account-orders.ts'
import { managedNetworks } from '../config/networks.ts'
import { configSchema } from '../config/schema.ts'
import { ChanopError } from '../core/error.ts'
import { certificatesOf } from '../core/ledger/people/certificates.ts'
import { newPassword } from '../core/new-password.ts'
import { Settings } from '../core/settings/settings.ts'
import { count } from '../core/text/text.ts'
import { misused, readArguments } from './arguments.ts'
import { openLedger } from './boot/upgrade.ts'
import { demand } from './checks/check.ts'
import { checkIrc } from './checks/services.ts'
import { type Instance, instanceOf, shown } from './instance.ts'
import { script } from './steps.ts'

const usage = `usage: npm run passwd -- ACCOUNT
Gives the account a new password, takes away certificates that nobody was given, ends its sessions and shows the login.`

/** Fingerprints on record for an account of the managed network. */
async function recorded({ paths, config }: Instance, account: string): Promise<string[]> {
  if (!existsSync(paths.ledger)) return []
  using ledger = await openLedger(paths)
  const { current } = await Settings.open(config, configSchema, ledger)
  return await ledger.read(tx =>
    managedNetworks(current)
      .flatMap(network => certificatesOf(tx, network, account))
      .map(({ fingerprint }) => fingerprint),
  )
}

async function main(): Promise<number> {
  const read = readArguments(usage, {}, 1)
  if (!read) return 0
  const [account] = read.positionals
  if (account === undefined) throw misused('say which account', usage)
  const instance = instanceOf()
  const control = await readControl(instance.paths.data).catch((cause: unknown) => {
    const folder = shown(instance, instance.paths.data)
    throw new ChanopError('not-found', `no IRC server was set up in ${folder}: npm start does that`, { cause })
  })
  const certificates = await recorded(instance, account)
  demand(await checkIrc(instance))
  const accounts = accountsFor(control)
  try {
    if (accounts.reserved?.has(account.toLowerCase()))
      throw new ChanopError('denied', `${account} is an account of Chanop's own: npm start keeps it`)
    const password = newPassword()
    await accounts.setPassword(account, password)
    // Said at once: from here on nothing else opens the account, whatever fails below.
    console.log(`account=${account} password=${password}`)
    if (await renewOwnerLogin(instance.paths.data, { account, password }))
      console.log(`${shown(instance, instance.paths.ownerLogin)} says so too`)
    const cleared = await clearPlanted(accounts, account, certificates)
    if (cleared > 0) console.log(`${count(cleared)} certificates that nobody was given are taken away`)
    const ended = await accounts.endSessions(account, 'the password was changed: log in with the new one')
    console.log(`sessions ended: ${ended}`)
    if ((await accounts.get(account))?.suspended)
      console.log(`${account} is suspended: it opens after !restore ${account}`)
    return 0
  } finally {
    accounts.close()
  }
}

await script(main)
