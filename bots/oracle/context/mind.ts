import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

export const mindFiles = ['IDENTITY.md', 'SOUL.md', 'USER.md'] as const
const mostBytes = 32_000

const plainIdentity = `You are oracle, the assistant of a chat that spans several platforms. You are helpful, direct and brief:
most answers are one to four sentences. You say so when you do not know.`

/** Who the oracle is: files that a person writes, read anew when they have changed. */
export class Mind {
  readonly #folder: string
  readonly #read = new Map<string, { changedMs: number; text: string }>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The files one after the other; a few words of our own when there is no IDENTITY.md. */
  async text(): Promise<string> {
    const texts = await Promise.all(mindFiles.map(name => this.#file(name)))
    if (!texts[0]) texts[0] = plainIdentity
    return texts.filter(text => text).join('\n\n')
  }

  async #file(name: string): Promise<string> {
    const path = join(this.#folder, name)
    try {
      const { mtimeMs } = await stat(path)
      const known = this.#read.get(name)
      if (known?.changedMs === mtimeMs) return known.text
      const text = (await readFile(path, 'utf8')).slice(0, mostBytes).trim()
      this.#read.set(name, { changedMs: mtimeMs, text })
      return text
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
      throw error
    }
  }
}
