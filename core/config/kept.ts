/**
 * What the configuration says, kept as JSON beside the SHA-256 of its text: to read YAML takes a library of 13 MB, and a text that
 * did not change says what it said. Whoever had to read it keeps it for the others.
 */
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'

/** Another release may read the same text otherwise. */
const version = 1
const sumOf = (source: string): string => createHash('sha256').update(`${version} ${source}`).digest('hex')

/** The value of this text, as it was read once; undefined: it is not known here. */
export function keptValue(path: string, source: string): unknown {
  try {
    const { sha256, value } = JSON.parse(readFileSync(path, 'utf8')) as { sha256?: unknown; value?: unknown }
    return sha256 === sumOf(source) ? value : undefined
  } catch {
    // It was never kept, or is damaged: it is read anew.
    return undefined
  }
}

/** Never fails: what can't be kept is read again the next time. */
export function keepValue(path: string, source: string, value: unknown): void {
  const text = JSON.stringify({ sha256: sumOf(source), value })
  // Infinity and the like are no JSON.
  if (!isDeepStrictEqual((JSON.parse(text) as { value: unknown }).value, value)) return
  const draft = `${path}.${randomUUID()}.tmp`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(draft, text, { mode: 0o600 })
    renameSync(draft, path)
  } catch (error) {
    process.emitWarning(`${path} can not be written: ${(error as Error).message}`)
  }
}
