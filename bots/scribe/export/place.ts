import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { exportsFolder } from '../../../core/files.ts'
import { encodeName } from '../files/names.ts'
import type { FormatName } from '../record/format.ts'

const extensions: Record<FormatName, string> = { jsonl: 'jsonl', csv: 'csv', text: 'txt', html: 'html' }

/** A new name in `<data>/exports`, made of what is exported and when. */
export async function exportPath(dataDir: string, what: string, format: FormatName, nowMs: number): Promise<string> {
  const folder = await exportsFolder(dataDir)
  const at = new Date(nowMs).toISOString().slice(0, 19).replace(/[-:]/g, '')
  const tag = randomBytes(3).toString('hex')
  return join(folder, `${encodeName(what).slice(0, 120)}-${at}Z-${tag}.${extensions[format]}`)
}
