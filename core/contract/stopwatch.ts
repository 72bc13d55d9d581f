import { readFileSync } from 'node:fs'

/** What this thread waited for a processor so far, ms: the second number of proc(5)'s schedstat, ns. */
const waitedMs = (): number => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) / 1e6

/**
 * Starts now. Returns a function that says how many ms have passed in which this thread could run: a bound on it
 * speaks of the code, whatever else the machine has to do.
 */
export function stopwatch(): () => number {
  const [fromMs, waitedBeforeMs] = [performance.now(), waitedMs()]
  return () => performance.now() - fromMs - (waitedMs() - waitedBeforeMs)
}
