import { createInterface, type Interface } from 'node:readline'
import type { Readable } from 'node:stream'

/**
 * The lines of a socket or pipe. What breaks it is for its own `error` and `close`, which the caller heeds: readline says
 * it once more on the interface, and there an error that nobody hears ends the process.
 */
export const linesOf = (input: Readable): Interface => createInterface({ input }).on('error', () => input.destroy())
