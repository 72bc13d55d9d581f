import { rm, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { entriesOf } from '../../../core/files.ts'
import { dayMs } from '../../../core/text/text.ts'
import { periodEndMs } from './names.ts'

const ours = /^(\d{4}-(?:\d{2}-\d{2}|\d{2}|W\d{2})|\d{6})(?:-r\d+)?(?:\.\d+)?\.(?:jsonl|csv|log)$/

/**
 * Deletes log files whose time is over: by the period in their name, or, when numbered, by their last change. Only
 * files with names of ours, in `<root>/<network>/<channel>/`; links are not followed. Returns how many.
 */
export async function sweep(root: string, keepDays: number, nowMs: number): Promise<number> {
  const limitMs = nowMs - keepDays * dayMs
  let removed = 0
  for (const network of (await entriesOf(root)).filter(entry => entry.isDirectory())) {
    for (const channel of (await entriesOf(join(root, network.name))).filter(entry => entry.isDirectory())) {
      removed += await sweepFolder(join(root, network.name, channel.name), limitMs)
    }
  }
  return removed
}

async function sweepFolder(folder: string, limitMs: number): Promise<number> {
  let removed = 0
  const entries = await entriesOf(folder)
  for (const entry of entries) {
    const period = entry.isFile() ? ours.exec(entry.name)?.[1] : undefined
    if (period === undefined) continue
    const path = join(folder, entry.name)
    const endMs = periodEndMs(period) ?? (await stat(path)).mtimeMs
    if (endMs >= limitMs) continue
    await rm(path)
    removed++
  }
  if (removed > 0 && removed === entries.length) await rmdir(folder)
  return removed
}
