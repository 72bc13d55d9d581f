import { dirname, join } from 'node:path'
import type { AdapterContext } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import { makeFolder, readIfThere, writeWhole } from '../../../core/files.ts'
import { pastedToken } from '../../../core/vault/pasted.ts'
import type { MatrixConfig } from '../config.ts'
import { object, string } from '../native.ts'
import { faultOf, isLoggedOut, refusalOf } from './faults.ts'
import type { Wire } from './wire.ts'

export interface Account {
  readonly user: string
  /** Transaction ids are remembered for it. */
  readonly device: string | null
  /** It was made for a look: whoever is done with it logs it out. */
  readonly passing?: true
}

type LoginContext = Pick<AdapterContext, 'network' | 'dataDir' | 'secret'> & {
  /** The device that logs in with a password; null: one of its own, for a look. */
  readonly device: string | null
}

const permanent = (message: string, cause?: unknown): ChanopError =>
  new ChanopError('network-refused', message, cause === undefined ? {} : { cause })

/** Gives the wire a token that works and says whose it is. Rejects `network-refused` where only a person can help. */
export async function logIn(wire: Wire, config: MatrixConfig, context: LoginContext): Promise<Account> {
  const account =
    config.password === undefined ? await byToken(wire, config, context) : await byPassword(wire, config, context)
  if (config.user === undefined || account.user === config.user) return account
  throw permanent(
    `the access token is that of ${account.user}, the configuration says ${config.user}: correct one of them`,
  )
}

async function byToken(wire: Wire, config: MatrixConfig, context: LoginContext): Promise<Account> {
  const token = pastedToken(await context.secret(config.token ?? ''))
  if (!/^[\x21-\x7e]+$/.test(token)) throw permanent('the access token holds what no token does: set it again')
  wire.token = token
  return whoIs(wire)
}

async function whoIs(wire: Wire): Promise<Account> {
  const said = await wire.ask('GET', '/account/whoami').catch((error: unknown) => {
    throw refusalOf(error)?.status === 404 ? noMatrix(error) : faultOf(error)
  })
  const user = string(said['user_id'])
  if (user === undefined) throw noMatrix()
  return { user, device: string(said['device_id']) ?? null }
}

const noMatrix = (cause?: unknown): ChanopError =>
  new ChanopError(
    'network-down',
    'there is no Matrix client API at that address: homeserver is what stands before /_matrix, as https://SERVER/.well-known/matrix/client says',
    { cause },
  )

/** The token of an earlier login is used for as long as it works: logins are rare things to a homeserver. */
async function byPassword(wire: Wire, config: MatrixConfig, context: LoginContext): Promise<Account> {
  const file = join(context.dataDir, 'matrix', `${context.network}.token`)
  const kept = (await readIfThere(file))?.trim()
  if (kept) {
    wire.token = kept
    const account = await whoIs(wire).catch((error: unknown) => {
      if (error instanceof ChanopError && error.code === 'network-refused') return null
      throw error
    })
    if (account && account.user === config.user) return account
  }
  const said = await passwordLogin(wire, config, context)
  wire.token = said.token
  if (context.device === null) return { ...said.account, passing: true }
  await makeFolder(dirname(file))
  await writeWhole(file, `${said.token}\n`, { alone: true })
  return said.account
}

async function passwordLogin(
  wire: Wire,
  { user = '', password = '' }: MatrixConfig,
  { device, secret }: LoginContext,
): Promise<{ account: Account; token: string }> {
  const body = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user },
    password: await secret(password),
    // The same device again: the homeserver knows by it what was sent already.
    ...(device === null ? {} : { device_id: device }),
    initial_device_display_name: 'Chanop',
  }
  const said = await wire.ask('POST', '/login', { body }).catch((error: unknown) => {
    const refusal = refusalOf(error)
    if (refusal?.status === 403 || isLoggedOut(error))
      throw permanent(`the homeserver refuses the password of ${user}`, error)
    if (refusal?.status === 404) throw noMatrix(error)
    if (refusal?.code === 'M_UNKNOWN' || refusal?.code === 'M_UNRECOGNIZED')
      throw permanent('this homeserver takes no passwords from programs: make an access token and set `token`', error)
    throw faultOf(error)
  })
  const answer = object(said)
  const [token, owner] = [string(answer['access_token']), string(answer['user_id'])]
  if (token === undefined || owner === undefined) throw noMatrix()
  return { token, account: { user: owner, device: string(answer['device_id']) ?? null } }
}
