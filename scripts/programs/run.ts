import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Runs a program to its end; resolves with what it printed. Rejects with that too when it ends otherwise than well. */
export const run = promisify(execFile)
