import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ledgerContract } from '../contract/ledger.ts'
import { Ledger } from './ledger.ts'

ledgerContract('SQLite in memory', async () => {
  const ledger = Ledger.open(':memory:')
  return { ledger, close: async () => ledger.close() }
})

const inFile = (aside: boolean) => async () => {
  const folder = mkdtempSync(join(tmpdir(), 'chanop-test-'))
  const ledger = Ledger.open(join(folder, 'ledger.db'), { aside })
  const close = async (): Promise<void> => {
    ledger.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { ledger, close }
}

ledgerContract('SQLite in a file', inFile(false))
ledgerContract('SQLite in a file, put on the disk beside it', inFile(true), true)
