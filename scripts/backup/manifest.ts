/** The first file in the archive: what is in it, and what was seen there when it was made. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ChanopError } from '../../core/error.ts'

export const manifestName = 'manifest.json'

const manifestSchema = z.object({
  format: z.literal(1),
  version: z.string(),
  atMs: z.int(),
  counts: z.record(z.string(), z.int()),
  files: z.array(z.object({ path: z.string(), sizeBytes: z.int(), sha256: z.string() })),
})

export type Manifest = z.output<typeof manifestSchema>

export async function describeFiles(folder: string, paths: readonly string[]): Promise<Manifest['files']> {
  const described: Manifest['files'] = []
  for (const path of paths) described.push({ path, ...(await describeFile(join(folder, path))) })
  return described
}

async function describeFile(path: string): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer)
  return { sizeBytes: (await stat(path)).size, sha256: hash.digest('hex') }
}

/** Reads the manifest of an unpacked backup and compares every file with it. Throws `usage` when one is missing or other. */
export async function checkFiles(folder: string): Promise<Manifest> {
  const manifest = await readManifest(folder)
  for (const { path, sizeBytes, sha256 } of manifest.files) {
    const found = await describeFile(join(folder, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
    if (found?.sizeBytes !== sizeBytes || found.sha256 !== sha256)
      throw new ChanopError('usage', `the backup is not whole: ${path} is ${found ? 'another one' : 'missing'}`)
  }
  return manifest
}

async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, manifestName), 'utf8').catch((cause: unknown) => {
    throw new ChanopError('usage', 'the file is no backup of Chanop: it has no manifest', { cause })
  })
  const parsed = manifestSchema.safeParse(JSON.parse(text))
  if (parsed.success) return parsed.data
  throw new ChanopError('usage', 'the backup is of another release: restore it with the release that made it')
}
