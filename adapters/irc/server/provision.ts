/** Accounts and channels that must be there before anyone works. Harmless when repeated, or cut off at any point. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ChanopError } from '../../../core/error.ts'
import { readIfThere, writeWhole } from '../../../core/files.ts'
import { newPassword } from '../../../core/new-password.ts'
import { accountsFor, type ManagedAccounts } from '../accounts/index.ts'
import { type Control, readControl } from '../control.ts'
import { ownerLoginPath, readOwnerLogin, writeOwnerLogin } from './owner-login.ts'
import { controlAccount, folders, history, readSettings, type Settings } from './settings.ts'

export async function provision(dataDir: string): Promise<void> {
  const [control, settings] = await Promise.all([readControl(dataDir), readSettings(dataDir)])
  const accounts = accountsFor(control)
  try {
    await provisionBots(accounts, control)
    await takeOver(accounts, dataDir)
    if (settings.owner) await provisionOwner(accounts, dataDir, settings.owner)
    for (const channel of settings.channels) {
      await (control.server === 'ergo' ? registerChannel(accounts, settings, channel) : keepChannel(accounts, channel))
    }
  } finally {
    accounts.close()
  }
}

/** Once: a mark says that it was done. */
async function takeOver(accounts: ManagedAccounts, dataDir: string): Promise<void> {
  const mark = join(folders(dataDir).ergo, 'taken-over')
  if (!accounts.takeOver || (await readIfThere(mark)) !== null) return
  await accounts.takeOver()
  await writeWhole(mark, '')
}

async function provisionBots(accounts: ManagedAccounts, control: Control): Promise<void> {
  // The control account first: on Ergo nothing but the API works without it, on InspIRCd its first login makes it.
  for (const name of [controlAccount, ...Object.keys(control.accounts)]) {
    await accounts.create(name, control.accounts[name] ?? '').catch(async (error: unknown) => {
      if (!(error instanceof ChanopError) || error.code !== 'account-exists') throw error
      // A bot's account under another password than ours, e.g. after data/ircd/server.json was lost: only we may have it.
      await accounts.setPassword(name, control.accounts[name] ?? '')
    })
  }
}

/** The login file is written before the account, and goes once its password is no longer the account's. */
async function provisionOwner(accounts: ManagedAccounts, dataDir: string, owner: string): Promise<void> {
  const kept = await readOwnerLogin(dataDir)
  const password = kept?.account === owner ? kept.password : newPassword()
  if (!kept && (await accounts.get(owner)) !== null) return
  if (kept?.account !== owner) await writeOwnerLogin(dataDir, { account: owner, password })
  try {
    await accounts.create(owner, password)
  } catch (error) {
    if (!(error instanceof ChanopError) || error.code !== 'account-exists') throw error
    await rm(ownerLoginPath(dataDir), { force: true })
  }
}

async function registerChannel(accounts: ManagedAccounts, settings: Settings, channel: string): Promise<void> {
  const info = await accounts.command([`PRIVMSG ChanServ :INFO ${channel}`])
  const registered = info.some(line => line.command === 'NOTICE' && (line.params[1] ?? '').startsWith('Founder: '))
  // The first to enter a new channel is its operator, and only an operator may register it. Seen by nobody after that.
  if (!registered) {
    await accounts.command([`JOIN ${channel}`, `SAMODE ${channel} +o ${controlAccount}`])
    await accounts.command([`PRIVMSG ChanServ :REGISTER ${channel}`, `PART ${channel}`])
  }
  const grants = [...settings.bots.map(bot => `+o ${bot}`), ...(settings.owner ? [`+a ${settings.owner}`] : [])]
  await accounts.command(grants.map(grant => `PRIVMSG ChanServ :AMODE ${channel} ${grant}`))
}

/** +P: stays when empty and over restarts, with topic and modes. +H: what is replayed to whoever joins. */
async function keepChannel(accounts: ManagedAccounts, channel: string): Promise<void> {
  const shown = await accounts.command([`MODE ${channel}`])
  const modes = shown.find(line => line.command === '324')?.params[2] ?? ''
  if (modes.includes('P') && modes.includes('H')) return
  const mode = `SAMODE ${channel} +PH ${history.inspircdLines}:${history.inspircdAge}`
  await accounts.command([`JOIN ${channel}`, mode, `PART ${channel}`])
}
