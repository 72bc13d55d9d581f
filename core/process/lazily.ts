import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** A package that is loaded when it is asked for first, and not before: what few ever use costs nobody else memory or time. */
export function lazily<T>(name: string): () => T {
  let loaded: T | undefined
  return () => {
    loaded ??= require(name) as T
    return loaded
  }
}
