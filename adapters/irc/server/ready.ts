/** Whether an IRC server serves: asked the way a client would, because its ports open before its modules are there. */
import { connect, type NetConnectOpts } from 'node:net'
import { deadline, sleep } from '../../../core/retry.ts'

/** Capabilities offered by CAP LS, or null when nothing answers within `timeoutMs`. */
export function capabilities(
  target: NetConnectOpts,
  timeoutMs = 500,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string> | null> {
  return new Promise(resolve => {
    const socket = connect(target)
    const found = new Map<string, string>()
    let rest = ''
    const finish = (result: ReadonlyMap<string, string> | null): void => {
      socket.destroy()
      resolve(result)
    }
    deadline(timeoutMs, signal).addEventListener('abort', () => finish(null), { once: true })
    socket
      .setEncoding('utf8')
      .once('error', () => finish(null))
      .once('close', () => finish(null))
    socket.once('connect', () => socket.write('CAP LS 302\r\n'))
    socket.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const listed = / CAP \S+ LS (\* )?:?(.*?)\r?$/.exec(line)
        if (!listed) continue
        for (const item of (listed[2] ?? '').split(' ')) {
          const equals = item.indexOf('=')
          if (item) found.set(equals < 0 ? item : item.slice(0, equals), equals < 0 ? '' : item.slice(equals + 1))
        }
        if (!listed[1]) finish(found)
      }
    })
  })
}

/** Waits until logins are served there. A fresh connection each time: one that came too early may never be answered. */
export async function serving(target: NetConnectOpts, signal: AbortSignal, everyMs = 15): Promise<boolean> {
  while (!signal.aborted) {
    if ((await capabilities(target, 500, signal))?.has('sasl')) return true
    await sleep(everyMs, signal)
  }
  return false
}
