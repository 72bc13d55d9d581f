import { randomBytes } from 'node:crypto'
import { lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ChanopError } from '../../../core/error.ts'
import { encodeName } from '../files/names.ts'
import type { FormatName } from '../record/format.ts'

const extensions: Record<FormatName, string> = { jsonl: 'jsonl', csv: 'csv', text: 'txt', html: 'html' }

/**
 * A new name in `<data>/exports`, made of what is exported and when. The folder is ours: when a link stands in its
 * place nothing is written through it.
 */
export async function exportPath(dataDir: string, what: string, format: FormatName, nowMs: number): Promise<string> {
  const folder = join(dataDir, 'exports')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (!(await lstat(folder)).isDirectory()) {
    throw new ChanopError('conflict', `${folder} is not a folder: remove what stands there`)
  }
  const at = new Date(nowMs).toISOString().slice(0, 19).replace(/[-:]/g, '')
  const tag = randomBytes(3).toString('hex')
  return join(folder, `${encodeName(what).slice(0, 120)}-${at}Z-${tag}.${extensions[format]}`)
}
