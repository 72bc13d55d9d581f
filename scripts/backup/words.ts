/** Where the passphrase, the key to lock with and the keys to open with come from. Never from an argument: others see those. */

import { existsSync } from 'node:fs'
import { mkdtemp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { configSchema } from '../../config/schema.ts'
import { ChanopError } from '../../core/error.ts'
import { readJson, removedAfter } from '../../core/files.ts'
import { Ledger } from '../../core/ledger/ledger.ts'
import { copyDatabase } from '../../core/ledger/snapshot.ts'
import { Settings } from '../../core/settings/settings.ts'
import { resolveSecret, Vault } from '../../core/vault/secrets.ts'
import type { Instance } from '../instance.ts'
import type { Lock, Opener } from './seal.ts'

const leastCharacters = 12

type Wish = Readonly<Record<'recipient' | 'passphraseFile' | 'identityFile', string | undefined>>

/** What the arguments say, else what the settings say, else what is typed. Throws `usage` with all three ways. */
export async function lockFrom(
  instance: Instance,
  { recipient, passphraseFile }: Omit<Wish, 'identityFile'>,
): Promise<Lock> {
  if (recipient !== undefined && passphraseFile !== undefined)
    throw new ChanopError('usage', 'say --recipient or --passphrase-file, not both')
  if (recipient !== undefined) return { recipient }
  if (passphraseFile !== undefined) return { passphrase: strong(await firstLine(passphraseFile)) }
  const set = await lockOfSettings(instance)
  if (set) return set
  if (!process.stdin.isTTY)
    throw new ChanopError(
      'usage',
      'a backup is encrypted, and nothing says how: set backup.recipient to a public key of age (age1…), or backup.passphrase to secret:NAME; or say --recipient or --passphrase-file',
    )
  const passphrase = strong(await ask('A passphrase for the backup (nothing is shown): '))
  if ((await ask('Again: ')) !== passphrase)
    throw new ChanopError('usage', 'these were two: nothing was made, begin again')
  return { passphrase }
}

function strong(passphrase: string): string {
  if (passphrase.length >= leastCharacters) return passphrase
  throw new ChanopError(
    'usage',
    `the passphrase is too short: take ${leastCharacters} characters or more, several words are easy to keep`,
  )
}

/** From a copy: opening a ledger migrates it, and a backup must not. */
async function lockOfSettings({ config, paths, env }: Instance): Promise<Lock | null> {
  if (!existsSync(config) || !existsSync(paths.ledger)) return null
  const folder = await mkdtemp(join(paths.backups, '.work-settings-'))
  await using _gone = removedAfter(folder)
  await copyDatabase(paths.ledger, join(folder, 'ledger.db'))
  using ledger = Ledger.open(join(folder, 'ledger.db'))
  const { backup } = (await Settings.open(config, configSchema, ledger)).current
  if (backup.recipient !== null) return { recipient: backup.recipient }
  if (backup.passphrase === null) return null
  const kept = ((await readJson(paths.env)) ?? {}) as Record<string, string>
  const vault = await Vault.open(existsSync(paths.vaultKey) ? paths.vaultKey : join(folder, 'none'), ledger)
  const reference = backup.passphrase
  const secret = await ledger.read(tx => resolveSecret(tx, vault, reference, { ...kept, ...env }))
  return { passphrase: strong(secret) }
}

export async function openerFrom({ identityFile, passphraseFile }: Omit<Wish, 'recipient'>): Promise<Opener> {
  if (identityFile !== undefined && passphraseFile !== undefined)
    throw new ChanopError('usage', 'say --identity or --passphrase-file, not both')
  if (identityFile !== undefined) return { identities: await identitiesIn(identityFile) }
  if (passphraseFile !== undefined) return { passphrase: await firstLine(passphraseFile) }
  if (process.stdin.isTTY) return { passphrase: await ask('The passphrase of the backup (nothing is shown): ') }
  throw new ChanopError('usage', 'say how to open it: --identity FILE (a key of age) or --passphrase-file FILE')
}

/** As age-keygen writes them: comments and one key a line. */
async function identitiesIn(file: string): Promise<string[]> {
  const lines = (await contentOf(file)).split('\n').map(line => line.trim())
  const keys = lines.filter(line => line !== '' && !line.startsWith('#'))
  if (keys.length > 0) return keys
  throw new ChanopError('usage', `${file} holds no key of age: its line begins with AGE-SECRET-KEY-`)
}

async function firstLine(file: string): Promise<string> {
  const line = (await contentOf(file)).split(/\r?\n/)[0] as string
  if (line !== '') return line
  throw new ChanopError('usage', `${file === '-' ? 'standard input' : file} holds no passphrase in its first line`)
}

/** `-` is standard input. */
const contentOf = (file: string): Promise<string> =>
  file === '-'
    ? text(process.stdin)
    : readFile(file, 'utf8').catch((cause: unknown) => {
        throw new ChanopError('not-found', `${file} can not be read: name a file that is there`, { cause })
      })

async function ask(question: string): Promise<string> {
  process.stdout.write(question)
  const silent = new Writable({ write: (_piece, _encoding, done) => done() })
  using lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  return await lines.question('').finally(() => process.stdout.write('\n'))
}
