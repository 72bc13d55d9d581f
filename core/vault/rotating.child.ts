/** Changes the vault's key again and again, until it is killed. */
import { Ledger } from '../ledger/ledger.ts'
import { Vault } from './secrets.ts'

const [keyFile = '', path = ''] = process.argv.slice(2)
const ledger = Ledger.open(path)
const vault = await Vault.open(keyFile, ledger)
process.send?.('ready')
for (;;) {
  vault.beginChange()
  await ledger.write(db => vault.sealAnew(db))
  await vault.endChange(ledger, Date.now() + 120_000)
}
