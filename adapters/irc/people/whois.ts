import { ChanopError } from '../../../core/error.ts'
import type { UserId } from '../../../core/event.ts'
import type { Session } from '../link/session.ts'
import { type Line, lastParam } from '../text/line.ts'

export interface Whois {
  readonly nick: string
  /** Lower case; null when not logged in. */
  readonly account: string | null
  /** TLS (671), or an address that never leaves the machine. */
  readonly secure: boolean
}

const local = /(?:^|[\s@])(?:127\.\d+\.\d+\.\d+|::1|0::1|localhost)(?:\s|$)/
const socket = /@\/|\.sock/

/** Asks the server about a nick; null when nobody has it. */
export function whois(session: Session, nick: string): Promise<Whois | null> {
  const key = session.fold(nick)
  let found: { nick: string; account: string | null; secure: boolean } | null = null
  const take = (line: Line): Whois | null | undefined => {
    const [, who = '', third = ''] = line.params
    if (session.fold(who) !== key) return undefined
    if (line.command === '311') found = { nick: who, account: null, secure: false }
    if (line.command === '318' || line.command === '401') return line.command === '401' ? null : found
    if (!found) return undefined
    if (line.command === '330') found.account = third.toLowerCase()
    if (line.command === '671') found.secure = true
    if ((line.command === '378' || line.command === '338') && isLocal(line)) found.secure = true
    return undefined
  }
  return session.ask(`WHOIS ${nick}`, take, 10_000)
}

const isLocal = (line: Line): boolean => {
  const told = `${line.params.slice(2).join(' ')} `
  return local.test(told) || socket.test(lastParam(line))
}

/** Sessions of an account by WHO (InspIRCd's `a` flag, WHOX fields n and a): nicks. */
function whoAccount(session: Session, account: string): Promise<string[]> {
  const nicks: string[] = []
  const take = (line: Line): string[] | undefined => {
    if (line.command === '354' && line.params[2]?.toLowerCase() === account) nicks.push(line.params[1] ?? '')
    return line.command === '315' || line.command === '461' ? nicks : undefined
  }
  return session.ask(`WHO ${account} a%na`, take, 10_000)
}

/** The nick under which somebody can be reached now. Rejects `send-refused` when they are not there. */
export async function reach(session: Session, user: UserId, lastNick: string | null): Promise<Whois> {
  if (user.startsWith('~')) {
    const found = await whois(session, user.slice(1))
    if (found) return found
    throw new ChanopError('send-refused', `${user.slice(1)} is not connected`)
  }
  for (const nick of new Set([lastNick ?? user, user])) {
    const found = await whois(session, nick)
    if (found?.account === user) return found
  }
  if (session.support('WHOX') !== null) {
    const [nick] = await whoAccount(session, user)
    const found = nick === undefined ? null : await whois(session, nick)
    if (found?.account === user) return found
  }
  throw new ChanopError('send-refused', `nobody is connected with the account ${user}`)
}
