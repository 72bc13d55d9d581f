import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { ChanopError } from '../error.ts'
import type { Ledger } from '../ledger/ledger.ts'
import {
  dropMedia,
  type MediaRow,
  mediaByHash,
  mediaBytes,
  noteMedia,
  touchMedia,
  unusedMedia,
} from '../ledger/record/media.ts'
import { Slots } from '../process/slots.ts'
import { size } from '../text/text.ts'
import { cleanerFor, headBytes } from './location.ts'

export interface MediaLimits {
  /** No file may be larger. */
  readonly fileBytes: number
  /** All together; what was not used for the longest time makes room. */
  readonly totalBytes: number
  /** What was not used for so long goes. */
  readonly keepMs: number
}

/** The section `media` of the configuration. */
interface MediaSettings {
  readonly fileMegabytes: number
  readonly totalMegabytes: number
  readonly keepDays: number
}

export const mediaLimits = ({ fileMegabytes, totalMegabytes, keepDays }: MediaSettings): MediaLimits => ({
  fileBytes: fileMegabytes * 1_000_000,
  totalBytes: totalMegabytes * 1_000_000,
  keepMs: keepDays * 86_400_000,
})

const tooLarge = (limitBytes: number): ChanopError =>
  new ChanopError('media-refused', `the file is larger than ${size(limitBytes)}: media.fileMegabytes limits that`)

/** So long a file that no row names may still be on its way to one. */
const orphanMs = 3_600_000
const dropAtOnce = 100

/**
 * Files by the SHA-256 of their bytes, each once. A file is written aside, fsynced and renamed before its row is committed:
 * what a row names is whole. A crash leaves at most a file without a row, which `sweep` takes away.
 */
export class MediaStore {
  readonly #folder: string
  readonly #ledger: Ledger
  readonly #limits: () => MediaLimits
  /** What a row names and what is there change together. */
  readonly #turn = new Slots(1)

  constructor(folder: string, ledger: Ledger, limits: () => MediaLimits) {
    this.#folder = folder
    this.#ledger = ledger
    this.#limits = limits
  }

  /** Takes a file in. Rejects `media-refused` when it is too large, and with what `bytes` rejects with. */
  async put(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<MediaRow> {
    const aside = join(await this.#made('incoming'), randomUUID())
    try {
      const kept = await cleaned(aside, await this.#write(aside, bytes, signal))
      await this.#makeRoom(kept.sizeBytes)
      await this.#turn.run(async () => {
        await this.#settle(aside, kept.hash)
        await this.#ledger.write(tx => noteMedia(tx, kept, Date.now()))
      })
      return kept
    } catch (error) {
      await rm(aside, { force: true })
      throw error
    }
  }

  /** Whether the file is here, to be used now: it stays for another `keepMs`. */
  async use(hash: string): Promise<MediaRow | null> {
    // The row first: none that was just used is dropped, by whichever process.
    const row = await this.#ledger.write(tx => touchMedia(tx, hash, Date.now()))
    return row && (await exists(this.#path(hash))) ? row : null
  }

  /** The bytes from the beginning, or of a range, both ends included. The stream fails when the file is gone. */
  open(hash: string, range: { readonly start?: number; readonly end?: number } = {}): ReadableStream<Uint8Array> {
    return Readable.toWeb(createReadStream(this.#path(hash), range)) as ReadableStream<Uint8Array>
  }

  /** Removes what nobody used for `keepMs`, what is too much, and what a crash left. Returns how many files. */
  async sweep(nowMs = Date.now()): Promise<number> {
    const { keepMs, totalBytes } = this.#limits()
    let removed = await this.#drop(nowMs - keepMs, Number.POSITIVE_INFINITY)
    const over = (await this.#ledger.read(mediaBytes)) - totalBytes
    if (over > 0) removed += await this.#drop(nowMs, over)
    return removed + (await this.#orphans(nowMs))
  }

  async #write(path: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<MediaRow> {
    const { fileBytes } = this.#limits()
    const hash = createHash('sha256')
    let sizeBytes = 0
    const file = await open(path, 'wx', 0o600)
    try {
      for await (const piece of bytes) {
        signal.throwIfAborted()
        sizeBytes += piece.length
        if (sizeBytes > fileBytes) throw tooLarge(fileBytes)
        hash.update(piece)
        await file.writeFile(piece)
      }
      await file.sync()
    } finally {
      await file.close()
    }
    return { hash: hash.digest('hex'), sizeBytes }
  }

  async #settle(aside: string, hash: string): Promise<void> {
    const folder = await this.#made(hash.slice(0, 2))
    await rename(aside, join(folder, hash))
    await syncFolder(folder)
  }

  /** Room for one more, or `media-refused`. */
  async #makeRoom(sizeBytes: number): Promise<void> {
    const { totalBytes } = this.#limits()
    if (sizeBytes > totalBytes)
      throw new ChanopError('media-refused', `the file is larger than all files may be: media.totalMegabytes`)
    const over = (await this.#ledger.read(mediaBytes)) + sizeBytes - totalBytes
    if (over > 0) await this.#drop(Date.now(), over)
  }

  /** The longest unused go first, until `bytes` are free; none that was used at or after `beforeMs`. */
  async #drop(beforeMs: number, bytes: number): Promise<number> {
    let removed = 0
    for (let free = 0; free < bytes; ) {
      const rows = await this.#ledger.read(tx => unusedMedia(tx, beforeMs, dropAtOnce))
      if (rows.length === 0) return removed
      for (const { hash, sizeBytes } of rows) {
        if (free >= bytes) return removed
        if (!(await this.#turn.run(() => this.#dropOne(hash, beforeMs)))) continue
        free += sizeBytes
        removed++
      }
    }
    return removed
  }

  /** False: somebody used it meanwhile. */
  async #dropOne(hash: string, beforeMs: number): Promise<boolean> {
    // The row first: what it names must be there.
    const dropped = await this.#ledger.write(tx => dropMedia(tx, hash, beforeMs))
    if (dropped) await rm(this.#path(hash), { force: true })
    return dropped
  }

  async #orphans(nowMs: number): Promise<number> {
    let removed = 0
    for (const folder of await list(this.#folder)) {
      for (const name of await list(join(this.#folder, folder))) {
        const path = join(this.#folder, folder, name)
        if (await this.#turn.run(() => this.#dropOrphan(path, name, nowMs))) removed++
      }
    }
    return removed
  }

  async #dropOrphan(path: string, name: string, nowMs: number): Promise<boolean> {
    // What has its name meanwhile is none.
    const ageMs = await stat(path).then(
      ({ mtimeMs }) => nowMs - mtimeMs,
      () => 0,
    )
    if (ageMs < orphanMs || (await this.#ledger.read(tx => mediaByHash(tx, name)))) return false
    await rm(path, { force: true })
    return true
  }

  #path(hash: string): string {
    return join(this.#folder, hash.slice(0, 2), hash)
  }

  async #made(name: string): Promise<string> {
    const folder = join(this.#folder, name)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return folder
  }
}

/** No picture is larger: it is read whole. */
const pictureBytes = 50_000_000

/** A picture without what it says besides what it shows. */
async function cleaned(path: string, kept: MediaRow): Promise<MediaRow> {
  const head = Buffer.alloc(headBytes)
  const file = await open(path, 'r+')
  try {
    const { bytesRead } = await file.read(head, 0, headBytes, 0)
    const clean = cleanerFor(head.subarray(0, bytesRead))
    if (!clean) return kept
    if (kept.sizeBytes > pictureBytes) throw tooLarge(pictureBytes)
    const bytes = clean(await readFile(path))
    await file.truncate(0)
    await file.write(bytes, 0, bytes.length, 0)
    await file.sync()
    return { hash: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length }
  } finally {
    await file.close()
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

/** A rename is on the disk once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle: FileHandle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
