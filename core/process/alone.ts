import { join } from 'node:path'
import { readJson } from '../files.ts'
import type { Log } from '../log.ts'
import { sleep } from '../retry.ts'
import { processLives } from './process-name.ts'

const lookMs = 500

/** The number of another process that left word as this bot, and lives; null: there is none. */
async function twin(file: string): Promise<number | null> {
  const { pid, process: name } = ((await readJson(file)) ?? {}) as { pid?: number; process?: string }
  return pid !== undefined && name !== undefined && pid !== process.pid && processLives(name) ? pid : null
}

/**
 * Resolves once no other process of a bot works on its data: two would say everything twice. `file`: where it left word of itself,
 * with its `processName`. A process that is stopped (SIGSTOP) goes on some day, and is waited for.
 */
export async function untilAlone(file: string, name: string, log: Log, signal: AbortSignal): Promise<void> {
  for (let said = false; !signal.aborted; said = true) {
    const pid = await twin(file)
    if (pid === null) return
    if (!said) log.error(`${name} runs already, as process ${pid}: this one waits until that has ended`)
    await sleep(lookMs, signal)
  }
}

/** Where a bot leaves word of how it is. */
export const stateFile = (dataDir: string, name: string): string => join(dataDir, 'run', `${name}.json`)
