/** PM2 app `ircd`: the managed IRC server of this data folder, in the foreground. */

import { asChanopError } from '../../../core/error.ts'
import { createLog } from '../../../core/log.ts'
import { locations } from '../../../core/paths.ts'
import { noteReady } from '../../../core/process/starts.ts'
import { sleep } from '../../../core/retry.ts'
import { supervise } from './supervisor.ts'

process.umask(0o077)
const log = createLog('ircd')
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort())
// PM2's daemon is gone: nobody could stop us any more, and a new one would start a second copy.
process.on('disconnect', () => stop.abort())

/** PM2 may be gone by now: then nobody waits to hear it. */
const ready = (): void => {
  noteReady(locations().dataDir, 'ircd')
  process.send?.('ready', undefined, undefined, () => undefined)
}

for (let failures = 0; !stop.signal.aborted; failures += 1) {
  try {
    await supervise({ dataDir: locations().dataDir, log, ready }, stop.signal)
  } catch (error) {
    // Nothing was started: the folder can't be used. PM2 would only start us again at once, so we wait here.
    if (failures % 12 === 0) log.error(`${asChanopError(error).message}; run npm start to make data/ircd anew`)
    await sleep(5000, stop.signal)
  }
}
if (process.connected) process.disconnect()
