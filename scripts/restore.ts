/** `npm run restore -- FILE`: brings a backup back where no data is. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { ChanopError } from '../core/error.ts'
import { time } from '../core/text/text.ts'
import { misused, readArguments } from './arguments.ts'
import { contentsInWords } from './backup/examine.ts'
import { putBack } from './backup/put-back.ts'
import { openerFrom } from './backup/words.ts'
import { instanceOf, shown } from './instance.ts'
import { script } from './steps.ts'

const usage = `usage: npm run restore -- FILE [--identity FILE | --passphrase-file FILE] [--keep-config]
Opens a backup, checks it and makes it the data folder, which must not be there. Without --identity (a file with a secret
key of age) or --passphrase-file a passphrase is asked for; FILE may be - for standard input.`

const options = {
  identity: { type: 'string' },
  'passphrase-file': { type: 'string' },
  'keep-config': { type: 'boolean' },
} as const

async function main(): Promise<number> {
  const read = readArguments(usage, options, 1)
  if (!read) return 0
  const { values, positionals } = read
  const [file] = positionals
  if (file === undefined) throw misused('say which file', usage)
  if (!existsSync(file)) throw new ChanopError('not-found', `there is no file ${file}`)
  const instance = instanceOf()
  const opener = await openerFrom({ identityFile: values.identity, passphraseFile: values['passphrase-file'] })
  const { manifest, config, vault } = await putBack(instance, resolve(file), opener, values['keep-config'] ?? false)
  console.log(
    `restored into ${shown(instance, instance.paths.data)}${config ? ` and ${shown(instance, instance.config)}` : ''}`,
  )
  console.log(`opened and counted, as of ${time(manifest.atMs)}: ${contentsInWords(manifest)}`)
  if (vault !== null) console.log(`! the vault stays locked: ${vault}`)
  console.log(
    'The search index and the log files are made anew from the ledger. Take care that the old instance does not run, then: npm start',
  )
  return 0
}

await script(main)
