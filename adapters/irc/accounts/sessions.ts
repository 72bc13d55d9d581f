/**
 * Who is connected to the managed InspIRCd, as its control session sees it, and how they are ended. A suspension takes the
 * account from a session and may rename it; a client may have logged in and not come in yet. So nobody is looked for by
 * account alone: what counts is the server's own id of a connection, and that nobody without an account is left.
 */
import { ChanopError } from '../../../core/error.ts'
import { deadline } from '../../../core/retry.ts'
import type { Line } from '../text/line.ts'
import { askServer, type Wire } from './session.ts'

interface Connection {
  /** The server's id of the connection: stays when the nick changes. */
  readonly uid: string
  /** Null: not logged in. */
  readonly account: string | null
  /** Its login is complete, so that it can speak. */
  readonly entered: boolean
  /** By the unix socket of our own bots, who need no account. */
  readonly ours: boolean
}

const endDeadlineMs = 3000

const same = (account: string | null, other: string): boolean => account?.toLowerCase() === other.toLowerCase()

/** How many sessions the account has. */
export async function countSessions(wire: Wire, account: string): Promise<number> {
  return (await entered(wire)).filter(one => same(one.account, account)).length
}

/**
 * Ends every session of `account`, and those of clients without an account: by the network nobody comes in without one.
 * `change` takes the account's access away, once it is known whose sessions are there. Resolves with how many were there
 * and were then seen to be gone.
 */
export async function endSessions(
  wire: Wire,
  account: string,
  reason: string,
  change: () => Promise<void> = async () => undefined,
): Promise<number> {
  const ended = new Set((await meant(wire, account)).map(({ uid }) => uid))
  await change()
  const until = deadline(endDeadlineMs)
  while (!until.aborted) {
    const left = [...(await meant(wire, account)), ...(await connections(wire, [...ended]))].map(({ uid }) => uid)
    if (left.length === 0) return ended.size
    for (const uid of left) ended.add(uid)
    await askServer(
      wire,
      [...new Set(left)].map(uid => `KILL ${uid} :${reason}`),
    )
  }
  throw new ChanopError('account-failed', `sessions of ${account} are still there`)
}

/** Who is logged in to the account, come in or not, and who came in and has none. */
async function meant(wire: Wire, account: string): Promise<Connection[]> {
  const inside = await entered(wire)
  const suspects = inside.filter(one => same(one.account, account) || (one.account === null && !one.ours))
  const outside = await entering(wire, new Set(inside.map(({ shown }) => shown)))
  // Asked one by one: since then a nick may have gone to somebody else, or got its account.
  const found = await connections(wire, [...suspects.map(({ nick }) => nick), ...outside])
  return found.filter(one => same(one.account, account) || (one.account === null && one.entered && !one.ours))
}

interface Entered {
  readonly nick: string
  readonly account: string | null
  readonly ours: boolean
  /** As STATS shows it. */
  readonly shown: string
}

async function entered(wire: Wire): Promise<Entered[]> {
  const lines = await askServer(wire, ['WHO * x%nuia'])
  return lines
    .filter(line => line.command === '354')
    .map(({ params: [, user = '', address = '', nick = '', account = '0'] }) => ({
      nick,
      account: account === '0' ? null : account,
      // The socket's path stands where others have their address; services are on no address at all.
      ours: address.includes('/') || address === '0.0.0.0',
      shown: `${nick}[${user}@${address}]`,
    }))
}

/** Names of connections that have not come in: STATS lists all. User names may hold the bracket that ends a nick. */
async function entering(wire: Wire, inside: ReadonlySet<string>): Promise<string[]> {
  const lines = await askServer(wire, ['STATS L'])
  return lines
    .filter(line => line.command === '211')
    .map(line => /^(\S+@[^\s@/]+\]) /.exec(line.params[1] ?? '')?.[1] ?? '')
    .filter(shown => shown !== '' && !inside.has(shown))
    .flatMap(shown => [...shown.matchAll(/\[/g)].map(({ index }) => shown.slice(0, index)))
}

/** The connections that have these nicks or ids now. */
async function connections(wire: Wire, names: readonly string[]): Promise<Connection[]> {
  if (names.length === 0) return []
  const lines = await askServer(
    wire,
    names.map(name => `CHECK ${name}`),
  )
  const found: Connection[] = []
  let values = new Map<string, string>()
  for (const [key, value] of lines.filter(line => line.command === '802').map(field)) {
    if (key === 'START') values = new Map()
    else if (key === 'END' && values.has('uid')) found.push(connectionOf(values))
    else values.set(key, value)
  }
  return found
}

const field = ({ params }: Line): [string, string] => [params[1] ?? '', params[2] ?? '']

const connectionOf = (values: ReadonlyMap<string, string>): Connection => ({
  uid: values.get('uid') ?? '',
  account: values.get('meta:accountname') ?? null,
  // Before its login is complete a connection is in the class of all.
  entered: values.get('connectclass') !== 'all',
  ours: values.get('clientaddr')?.includes('/') ?? false,
})
