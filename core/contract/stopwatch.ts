import { existsSync, readFileSync } from 'node:fs'

const schedstat = '/proc/thread-self/schedstat'

/** What this thread waited for a processor so far, ms: the second number of proc(5)'s schedstat, ns. 0 where nobody counts. */
const waitedMs = (): number => (existsSync(schedstat) ? Number(readFileSync(schedstat, 'utf8').split(' ')[1]) / 1e6 : 0)

/**
 * Starts now. Returns a function that says how many ms have passed in which this thread could run: a bound on it
 * speaks of the code, whatever else the machine has to do.
 */
export function stopwatch(): () => number {
  const [fromMs, waitedBeforeMs] = [performance.now(), waitedMs()]
  return () => performance.now() - fromMs - (waitedMs() - waitedBeforeMs)
}
