import { join } from 'node:path'
import { makeFolder, readJson } from '../files.ts'
import { asLedgerError } from '../ledger/fault.ts'
import { hold } from '../ledger/held.ts'
import type { Log } from '../log.ts'
import { sleep } from '../retry.ts'

const lookMs = 500

/**
 * Resolves once no other process of a bot works on its data, and none will: two would say everything twice. False: it was told
 * to leave before. A process that is stopped (SIGSTOP) goes on some day, and is waited for.
 */
export async function untilAlone(dataDir: string, name: string, log: Log, signal: AbortSignal): Promise<boolean> {
  const folder = join(dataDir, 'run')
  await makeFolder(folder).catch((error: unknown) => {
    throw asLedgerError(error)
  })
  for (let said = false; !signal.aborted; said = true) {
    if (hold(join(folder, `${name}.lock`))) return true
    const { pid } = ((await readJson(stateFile(dataDir, name))) ?? {}) as { pid?: number }
    if (!said) log.error(`${name} runs already, as process ${pid}: this one waits until that has ended`)
    await sleep(lookMs, signal)
  }
  return false
}

/** Where a bot leaves word of how it is. */
export const stateFile = (dataDir: string, name: string): string => join(dataDir, 'run', `${name}.json`)
