import type { z } from 'zod'
import { asChanopError } from '../error.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { settingsMark } from '../ledger/settings/settings.ts'
import type { Log } from '../log.ts'
import { type Settings } from './settings.ts'

export interface Following {
  /** Reads file and ledger again: somebody has said that they changed. */
  reload(): Promise<void>
  /** Reads them again when the ledger shows a change. Call it now and then: signals may be lost. */
  look(): Promise<void>
}

/** Keeps the settings of a process those of the ledger. What goes wrong is said once, and the old settings hold. */
export function followSettings(settings: Settings<z.ZodType>, ledger: Ledger, log: Log): Following {
  let seen: string | null = null
  let ignored = ''
  let fault = ''
  const tell = (): void => {
    const now = settings.ignored.join(', ')
    if (now !== ignored && now !== '') log.warn(`set in chat, no longer valid and without effect: ${now}`)
    ignored = now
  }
  const guarded = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
      fault = ''
    } catch (error) {
      const { message } = asChanopError(error)
      if (message !== fault) log.error({ error }, `settings kept: ${message}`)
      fault = message
    }
  }
  const reload = (): Promise<void> =>
    guarded(async () => {
      await settings.reload()
      tell()
    })
  const look = async (): Promise<void> => {
    let changed = false
    await guarded(async () => {
      const mark = await ledger.read(settingsMark)
      changed = mark !== seen
      seen = mark
    })
    if (changed) await reload()
  }
  tell()
  return { reload, look }
}
