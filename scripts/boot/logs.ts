/** What an app's logs say about why it is not there. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Instance } from '../instance.ts'

const tailBytes = 64 * 1024
const longestWords = 300
const levels = { error: 50, warning: 40 }

/** The newest error, or for the IRC server's supervisor the newest warning, that was logged since `sinceMs`; or null. */
export async function complaint({ paths }: Instance, name: string, sinceMs: number): Promise<string | null> {
  for (const line of (await tail(join(paths.logs, `${name}.log`))).toReversed()) {
    const record = parse(line)
    if (!record || Date.parse(record.time) < sinceMs) continue
    if (record.level >= (name === 'ircd' ? levels.warning : levels.error)) return record.msg.slice(0, longestWords)
  }
  return null
}

/** The line of its standard error that tells most: of a process that died before it could log. */
export async function lastWords({ paths }: Instance, name: string): Promise<string> {
  const lines = await tail(join(paths.logs, `${name}.error.log`))
  const telling = lines.findLast(line => /error|cannot|fail|refused/i.test(line))
  return (telling ?? lines.at(-1) ?? 'without a word').trim().slice(0, longestWords)
}

async function tail(path: string): Promise<readonly string[]> {
  await using file = await open(path).catch(() => null)
  if (!file) return []
  const { size } = await file.stat()
  const { buffer, bytesRead } = await file.read(Buffer.alloc(tailBytes), 0, tailBytes, Math.max(0, size - tailBytes))
  return buffer.toString('utf8', 0, bytesRead).split('\n').filter(Boolean)
}

function parse(line: string): { time: string; level: number; msg: string } | null {
  try {
    const { time, level, msg } = JSON.parse(line) as { time?: unknown; level?: unknown; msg?: unknown }
    return typeof time === 'string' && typeof level === 'number' && typeof msg === 'string'
      ? { time, level, msg }
      : null
  } catch (error) {
    // Standard output also carries what is no log record.
    if (error instanceof SyntaxError) return null
    throw error
  }
}
