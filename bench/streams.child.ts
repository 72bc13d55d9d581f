/** The readers of `bench/streams.ts`, in a process of their own: begun with options as JSON, and asked over IPC how far they are. */
import { Readers, type ReadersOptions, type Tally } from '../adapters/http/testing/readers.ts'

/** How far they are. */
export interface Progress {
  readonly connected: number
  readonly again: number
  readonly fewest: number
  readonly refusals: readonly string[]
  readonly tallies: readonly (Tally & { readonly readers: number })[]
}

const readers = new Readers(JSON.parse(process.argv[2] as string) as ReadersOptions)
process.on('message', () => {
  const progress: Progress = {
    connected: readers.connected(),
    again: readers.connected(2),
    fewest: readers.fewest,
    refusals: readers.refusals,
    tallies: readers.tallies(),
  }
  process.send?.(progress)
})
process.on('disconnect', () => process.exit())
