/** The file inside: tar with gzip, so that `age -d FILE | tar xz` opens a backup without Chanop. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { create, extract } from 'tar'
import { ChanopError } from '../../core/error.ts'

/** The named files and folders below `folder`. Reads nothing before it is read from. */
export async function* pack(folder: string, names: readonly string[]): AsyncGenerator<Uint8Array> {
  const archive = create({ cwd: folder, gzip: true, portable: true, strict: true }, [...names])
  // The loop gets the error; what fails after nobody reads any more concerns nobody.
  archive.on('error', () => undefined)
  try {
    yield* archive
  } finally {
    archive.destroy()
  }
}

/** Unpacks into a folder that is there: plain files and folders only, for us alone. */
export async function unpack(bytes: AsyncIterable<Uint8Array>, folder: string): Promise<void> {
  const unpacking = extract({
    cwd: folder,
    strict: true,
    fmode: 0o600,
    dmode: 0o700,
    filter: (path, entry) => {
      if ('type' in entry && entry.type !== 'File' && entry.type !== 'Directory')
        throw new ChanopError(
          'usage',
          `the backup holds ${path}, which is neither a file nor a folder: it is none of ours`,
        )
      return true
    },
  })
  await pipeline(Readable.from(bytes), unpacking)
}
