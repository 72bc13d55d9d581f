/** What is asked of the process that guards logins: one JSON object a line on its socket, and one back. Ergo asks in its own words. */
import { connect, type Socket } from 'node:net'
import { z } from 'zod'
import type { LoginLock } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import { linesOf } from '../../../core/lines.ts'
import { sleep } from '../../../core/retry.ts'

export const requestSchema = z.discriminatedUnion('act', [
  z.strictObject({ act: z.literal('check'), account: z.string(), password: z.string() }),
  z.strictObject({ act: z.literal('password'), account: z.string(), password: z.string() }),
  z.strictObject({ act: z.literal('known'), account: z.string() }),
  z.strictObject({ act: z.literal('drop'), account: z.string() }),
  z.strictObject({ act: z.literal('certificates'), account: z.string() }),
  z.strictObject({ act: z.literal('certificate-add'), account: z.string(), fingerprint: z.string() }),
  z.strictObject({ act: z.literal('certificate-del'), account: z.string(), fingerprint: z.string() }),
  z.strictObject({ act: z.literal('lift'), what: z.string() }),
  /** Stays open: every change of the locks is a line. */
  z.strictObject({ act: z.literal('watch') }),
])

export type Request = z.output<typeof requestSchema>

/** Ergo's auth-script: either a password or a certificate. Other keys are other versions'. */
export const ergoSchema = z.object({
  accountName: z.string().default(''),
  passphrase: z.string().default(''),
  certfp: z.string().default(''),
  ip: z.string().default(''),
})

export interface Answer {
  readonly ok: boolean
  readonly certificates?: readonly string[]
  readonly lifted?: number
  /** The account that has the certificate already. */
  readonly owner?: string
}

const lockSchema = z.object({
  account: z.string(),
  address: z.string(),
  wrong: z.number(),
  sinceMs: z.number(),
  untilMs: z.number(),
})

const answerMs = 5000

/** Asks once. Rejects `account-failed` when the guard is not there: the IRC server is not running then. */
export function askGuard(path: string, request: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const fail = (cause: Error): void =>
      reject(new ChanopError('account-failed', 'the IRC server’s guard of logins does not answer', { cause }))
    socket.setTimeout(answerMs, () => socket.destroy(new Error('no answer in time')))
    socket.once('error', fail).once('close', () => fail(new Error('closed')))
    socket.once('connect', () => socket.write(`${JSON.stringify(request)}\n`))
    linesOf(socket).once('line', line => {
      const answer = whole(line) as Answer | null
      if (answer !== null) resolve(answer)
      socket.destroy()
    })
  })
}

/** Null: the other side ended in the middle of it. */
function whole(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** Tells the locks whenever they change, and all of them after each connection, until `signal` aborts. */
export async function watchLocks(
  path: string,
  tell: (locks: readonly LoginLock[]) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const socket = connect(path)
    const abort = (): void => void socket.destroy()
    signal.addEventListener('abort', abort, { once: true })
    await follow(socket, tell)
    signal.removeEventListener('abort', abort)
    await sleep(1000, signal)
  }
}

function follow(socket: Socket, tell: (locks: readonly LoginLock[]) => void): Promise<void> {
  socket.once('connect', () => socket.write(`${JSON.stringify({ act: 'watch' })}\n`))
  linesOf(socket).on('line', line => {
    const told = z.object({ locks: z.array(lockSchema) }).safeParse(whole(line))
    if (told.success) tell(told.data.locks)
  })
  // It closes after it; without a server there is nobody to hear.
  socket.on('error', () => socket.destroy())
  return new Promise(resolve => socket.once('close', () => resolve()))
}
