/** `npm run import -- matterbridge FILE`: networks and rooms of a matterbridge.toml, with their tokens, from the host. */
import { readFile, stat } from 'node:fs/promises'
import { importLines, importOf, keepImport } from '../bots/bridge/import/apply.ts'
import { configSchema } from '../config/schema.ts'
import { ChanopError } from '../core/error.ts'
import { Settings } from '../core/settings/settings.ts'
import { size } from '../core/text/text.ts'
import { Vault } from '../core/vault/secrets.ts'
import { misused, readArguments } from './arguments.ts'
import { openLedger } from './boot/upgrade.ts'
import { instanceOf } from './instance.ts'
import { script } from './steps.ts'

const usage = `usage: npm run import -- matterbridge FILE
Makes networks and rooms of the accounts and gateways of a matterbridge.toml; tokens go into the vault. Says what it made and what
it could not take over. Bots that run take it over by themselves.`
const mostBytes = 1_000_000

async function read(file: string): Promise<string> {
  const found = await stat(file).catch((cause: unknown) => {
    throw new ChanopError('not-found', `there is no file ${file}`, { cause })
  })
  if (found.size > mostBytes)
    throw new ChanopError('usage', `${file} is larger than ${size(mostBytes)}: is it a matterbridge.toml?`)
  return readFile(file, 'utf8')
}

async function main(): Promise<number> {
  const asked = readArguments(usage, {}, 2)
  if (!asked) return 0
  const [what, file] = asked.positionals
  if (what !== 'matterbridge' || file === undefined) throw misused('say matterbridge and a file', usage)
  const text = await read(file)
  const { paths, config } = instanceOf()
  using ledger = await openLedger(paths)
  const vault = await Vault.open(paths.vaultKey, ledger)
  const found = importOf(await Settings.open(config, configSchema, ledger), text)
  await ledger.write(tx => keepImport(tx, vault, found, 'npm run import', Date.now()))
  for (const line of importLines(found)) console.log(line)
  return 0
}

await script(main)
