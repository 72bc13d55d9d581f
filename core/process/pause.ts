/**
 * Loaded before a bot's own code (`node --import`): PM2 starts what ended again at once, and this waits when the last
 * ones did not become ready, also those whose code could not even be loaded. PM2's own pause grows with every end.
 */
import { resolve } from 'node:path'
import { noteStart } from './starts.ts'

const { name, CHANOP_DATA: dataDir } = process.env
if (name && dataDir) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, noteStart(resolve(dataDir), name))
}
