/** `npm run restore -- FILE`: brings a backup back where no data is. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ChanopError } from '../core/error.ts'
import { time } from '../core/text.ts'
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
  help: { type: 'boolean', short: 'h' },
} as const

function read(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    return { values, positionals }
  } catch (error) {
    throw new ChanopError('usage', `${(error as Error).message.split('. ')[0]}\n${usage}`)
  }
}

async function main(): Promise<number> {
  const { values, positionals } = read(process.argv.slice(2))
  if (values.help) {
    console.log(usage)
    return 0
  }
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw new ChanopError('usage', `say which file\n${usage}`)
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
