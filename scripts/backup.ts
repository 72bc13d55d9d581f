/** `npm run backup`: all that an instance can not make anew, in one encrypted file, while it runs or not. */
import { resolve } from 'node:path'
import { size, time } from '../core/text/text.ts'
import { readArguments } from './arguments.ts'
import { contentsInWords } from './backup/examine.ts'
import { takeBackup } from './backup/take.ts'
import { lockFrom } from './backup/words.ts'
import { instanceOf, shown } from './instance.ts'
import { script } from './steps.ts'

const usage = `usage: npm run backup -- [--out FILE] [--recipient age1… | --passphrase-file FILE]
Without --out the file is made in data/backups. Without a recipient or passphrase those of the settings count
(backup.recipient, backup.passphrase); else a passphrase is asked for. FILE may be - for standard input.`

const options = {
  out: { type: 'string' },
  recipient: { type: 'string' },
  'passphrase-file': { type: 'string' },
} as const

async function main(): Promise<number> {
  const wish = readArguments(usage, options)?.values
  if (!wish) return 0
  const instance = instanceOf()
  const from = { recipient: wish.recipient, passphraseFile: wish['passphrase-file'] }
  const out = wish.out === undefined ? null : resolve(wish.out)
  const { path, sizeBytes, sha256, manifest, recipient } = await takeBackup(
    instance,
    () => lockFrom(instance, from),
    out,
  )
  console.log(`saved and opened again: ${shown(instance, path)}`)
  console.log(`${size(sizeBytes)}, SHA-256 ${sha256}`)
  console.log(`holds as of ${time(manifest.atMs)}: ${contentsInWords(manifest)}`)
  console.log(
    recipient === null
      ? 'only its passphrase opens it: keep that elsewhere'
      : `only the secret key of ${recipient.slice(0, 20)}… opens it: keep that key elsewhere`,
  )
  return 0
}

await script(main)
