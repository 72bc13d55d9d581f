/** Writes log files from a ledger until it is killed; a line on standard output for each batch. Run by files.test.ts. */

import { Ledger } from '../../../core/ledger/ledger.ts'
import { after } from '../../../core/ledger/record/events.ts'
import { type FilesConfig, LogFiles } from './files.ts'

const [path = '', root = '', config = ''] = process.argv.slice(2)
const ledger = Ledger.open(path)
const files = await LogFiles.open({
  root,
  ledger,
  config: () => JSON.parse(config) as FilesConfig,
  keepable: (_, stored) => stored,
})
let seq = files.cursor
for (;;) {
  const batch = await ledger.read(db => after(db, seq, 23))
  const last = batch.at(-1)
  if (!last) break
  await files.take(batch)
  seq = last.seq
  if (seq % 3 === 0) await files.sync()
  process.stdout.write(`${seq}\n`)
}
await files.close()
ledger.close()
process.stdout.write('done\n')
