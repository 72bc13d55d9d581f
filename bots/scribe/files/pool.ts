import type { LiveFormat } from '../record/format.ts'
import { numberedStem, numbers, type Open, openLog } from './series.ts'

export interface Entry {
  /** Number of the fact. */
  readonly seq: number
  readonly text: string
}

/** Where lines go: one file, or a series of numbered files that end at `limitBytes`. */
export interface Target {
  readonly folder: string
  /** The file's name without its ending; null: the series. */
  readonly stem: string | null
  /** Follows the number in names of a series. */
  readonly suffix: string
  readonly format: LiveFormat
  readonly limitBytes: number
}

const mostOpen = 64

/** Files that are open for writing: few, the least used is closed for the next one. Not for use by two at once. */
export class FilePool {
  readonly #open = new Map<string, Open>()
  readonly #dirty = new Set<Open>()

  /**
   * Adds those entries that are not there yet, in order. When it rejects some may be written: the next call for the
   * same target finds out which.
   */
  async write(target: Target, entries: readonly Entry[]): Promise<void> {
    const key = `${target.folder}|${target.stem ?? ''}|${target.suffix}|${target.format.extension}`
    try {
      let file = await this.#take(key, target)
      let from = 0
      while (from < entries.length) {
        if (file.sizeBytes >= target.limitBytes) file = await this.#roll(key, target, file)
        from = await this.#append(file, entries, from, target.limitBytes)
      }
    } catch (error) {
      await this.#drop(key)
      throw error
    }
  }

  /** Brings everything written to the disk. */
  async sync(): Promise<void> {
    for (const file of this.#dirty) {
      await file.handle.datasync()
      this.#dirty.delete(file)
    }
  }

  async close(): Promise<void> {
    for (const key of this.#open.keys()) await this.#drop(key)
  }

  /** Writes entries until the file is full; returns the index of the first that was left. */
  async #append(file: Open, entries: readonly Entry[], from: number, limitBytes: number): Promise<number> {
    let text = ''
    let bytes = 0
    let at = from
    let seq = file.seq
    for (; at < entries.length && file.sizeBytes + bytes < limitBytes; at++) {
      const entry = entries[at] as Entry
      if (entry.seq <= seq) continue
      text += entry.text
      bytes += Buffer.byteLength(entry.text)
      seq = entry.seq
    }
    if (text === '') return at
    this.#dirty.add(file)
    await file.handle.appendFile(text)
    file.sizeBytes += bytes
    file.seq = seq
    return at
  }

  async #take(key: string, target: Target): Promise<Open> {
    const known = this.#open.get(key)
    if (known) {
      this.#open.delete(key)
      this.#open.set(key, known)
      return known
    }
    const oldest = this.#open.keys().next().value
    if (oldest !== undefined && this.#open.size >= mostOpen) await this.#drop(oldest)
    const { folder, stem, format } = target
    const file = stem === null ? await newestOf(target) : await openLog(folder, stem, format)
    this.#open.set(key, file)
    return file
  }

  async #roll(key: string, target: Target, full: Open): Promise<Open> {
    await this.#drop(key)
    const [newest = 0] = await numbers(target.folder, target.suffix, target.format.extension)
    const file = await openLog(target.folder, numberedStem(newest + 1) + target.suffix, target.format)
    file.seq = Math.max(file.seq, full.seq)
    this.#open.set(key, file)
    return file
  }

  /** What was written to a file is on the disk before it is closed. */
  async #drop(key: string): Promise<void> {
    const file = this.#open.get(key)
    if (!file) return
    this.#open.delete(key)
    await using handle = file.handle
    if (this.#dirty.delete(file)) await handle.datasync()
  }
}

/** The newest file of a series. One that was just begun knows from the one before it what is written already. */
async function newestOf({ folder, suffix, format }: Target): Promise<Open> {
  const [newest = 1, before] = await numbers(folder, suffix, format.extension)
  const file = await openLog(folder, numberedStem(newest) + suffix, format)
  if (file.seq > 0 || before === undefined) return file
  const previous = await openLog(folder, numberedStem(before) + suffix, format)
  await previous.handle.close()
  return Object.assign(file, { seq: previous.seq })
}
