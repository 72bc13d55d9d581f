import { readIfThere } from '../../core/files.ts'

/** Null when the file is not there or holds no JSON: what these scripts keep as JSON can be made anew. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readIfThere(path)
  if (text === null) return null
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
