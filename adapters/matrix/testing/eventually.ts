import { deadline, sleep } from '../../../core/retry.ts'

/** Looks again until it is so: for what only the homeserver knows. */
export async function eventually<T>(look: () => Promise<T | null | undefined | false>, what: string): Promise<T> {
  const signal = deadline(15_000)
  while (!signal.aborted) {
    const found = await look()
    if (found) return found
    await sleep(20, signal)
  }
  throw new Error(`waited for ${what}`)
}
