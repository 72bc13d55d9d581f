/** Logins of test clients on a real server. */
import type { TestServer } from '../server/testing.ts'
import { authenticate, Wire } from './session.ts'

export const password = (name: string): string => `secret-of-${name}-0123456789`

/** Logs in as a client over plain TCP; null when the login is refused. */
export async function login(server: TestServer, account: string, secret = password(account)): Promise<Wire | null> {
  const wire = await Wire.open({ host: server.host, port: server.port })
  if (!(await authenticate(wire, account, secret))) return wire.close(), null
  await wire.ask([`NICK ${account}`, 'USER test 0 * :test', 'CAP END'], line => line.command === '001')
  return wire
}

/** One try on a connection of its own: whether the server takes the password. */
export async function guessOnce(server: TestServer, account: string, secret: string): Promise<boolean> {
  const wire = await Wire.open({ host: server.host, port: server.port })
  try {
    return await authenticate(wire, account, secret)
  } finally {
    wire.close()
  }
}
