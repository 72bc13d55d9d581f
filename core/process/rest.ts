/**
 * A start leaves garbage behind, and code that runs once: V8 would keep both until much later, since a process that does little
 * collects little. Once it is over everything that is not needed is given back, 6 to 10 MB of each process. It takes 40 to 100 ms.
 * Without `--expose-gc` nothing happens.
 */
const afterMs = 10_000

let begun = false

/** Called when the process is ready, however often: it happens once. */
export function tidyUpLater(): void {
  if (begun) return
  begun = true
  setTimeout(() => void globalThis.gc?.({ type: 'major', execution: 'async', flavor: 'last-resort' }), afterMs).unref()
}
