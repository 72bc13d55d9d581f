/** `npm run claim -- CODE`: hands over the login of an agent once. Without CODE it is read from standard input. */
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { redeem } from '../bots/admin/agents/claims.ts'
import { locations } from '../core/bot.ts'
import { asChanopError } from '../core/error.ts'
import { Ledger } from '../core/ledger/ledger.ts'
import { Vault } from '../core/secrets.ts'

const code = process.argv[2] ?? (await text(process.stdin)).trim()
const { dataDir } = locations()
const ledger = Ledger.open(join(dataDir, 'ledger.db'))
try {
  const vault = await Vault.open(join(dataDir, 'keys', 'vault.key'), ledger)
  const { login } = await ledger.write(db => redeem(db, vault, code, Date.now()))
  process.stdout.write(`${login}\n`)
} catch (error) {
  process.stderr.write(`claim: ${asChanopError(error).message}\n`)
  process.exitCode = 1
} finally {
  ledger.close()
}
