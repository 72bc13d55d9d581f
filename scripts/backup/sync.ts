import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Brings a folder, or all that is below it too, onto the disk. */
export async function syncTree(folder: string, depth: 'whole' | 'itself' = 'whole'): Promise<void> {
  if (depth === 'whole') {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) await syncTree(path)
      else await syncOne(path)
    }
  }
  await syncOne(folder)
}

async function syncOne(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
