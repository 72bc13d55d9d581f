/** `data/owner-login`: the first owner's account and password, for `npm run chat` and for whoever set Chanop up. */
import { join } from 'node:path'
import { readIfThere, writeWhole } from '../../../core/files.ts'

export interface Login {
  readonly account: string
  readonly password: string
}

export const ownerLoginPath = (dataDir: string): string => join(dataDir, 'owner-login')

export async function readOwnerLogin(dataDir: string): Promise<Login | null> {
  const found = /^account=(\S+) password=(\S+)$/m.exec((await readIfThere(ownerLoginPath(dataDir))) ?? '')
  return found?.[1] && found[2] ? { account: found[1], password: found[2] } : null
}

export const writeOwnerLogin = (dataDir: string, { account, password }: Login): Promise<void> =>
  writeWhole(ownerLoginPath(dataDir), `account=${account} password=${password}\n`)

/** After a new password: the file of this account, if it is kept there, says the new one. */
export async function renewOwnerLogin(dataDir: string, login: Login): Promise<boolean> {
  const kept = await readOwnerLogin(dataDir)
  if (kept?.account.toLowerCase() !== login.account.toLowerCase()) return false
  if (kept.password !== login.password) await writeOwnerLogin(dataDir, { ...login, account: kept.account })
  return true
}
