import { ChanopError } from '../../core/error.ts'
import type { NetworkId, UserId } from '../../core/event.ts'
import { accountsShownAs, isVouched } from '../../core/ledger/people/members.ts'
import {
  type Account,
  identitiesOf,
  type Person,
  personAt,
  personByName,
  personFor,
} from '../../core/ledger/people/people.ts'
import type { Tx } from '../../core/ledger/tx.ts'

export const noRoom = (word: string): ChanopError =>
  new ChanopError('not-found', `no room ${word.slice(0, 60)}; !rooms lists them`)

/** Somebody's account, and who they are to us: null when nobody has given them anything yet. */
export interface Meant {
  readonly account: Account
  readonly person: Person | null
}

export const accountForm = /^([a-z][a-z0-9-]*):(\S+)$/i

export const written = ({ network, user }: Account): string => `${network}:${user}`

const same = (a: Account, b: Account): boolean => a.network === b.network && a.user === b.user

/**
 * The account that a word means: `network:account` as it stands, a bare word as the account of that name on `near`, the
 * asker's own network. Whoever else goes by that name is asked about and never chosen, so that nobody comes to what is
 * another's by a name. Throws `not-found` for an account that nobody has seen, `conflict` with the candidates.
 */
export function accountMeant(tx: Tx, word: string, near: NetworkId): Meant {
  const bare = word.replace(/^@/, '')
  const [, network = near, user = bare] = accountForm.exec(bare) ?? []
  const { account, person, known } = idMeant(tx, network.toLowerCase() as NetworkId, user as UserId)
  if (accountForm.test(bare)) {
    if (known) return { account, person }
    throw new ChanopError('not-found', `nobody is known as ${word.slice(0, 60)}: they join a channel first`)
  }
  const others = namesakes(tx, bare, near).filter(each => !same(each, account))
  if (known && others.length === 0) return { account, person }
  const candidates = [...(known ? [account] : []), ...others]
  if (candidates.length === 0) {
    throw new ChanopError('not-found', `nobody is called ${word.slice(0, 60)}; !person list shows who has an account`)
  }
  const list = [...new Set(candidates.map(written))].slice(0, 8).join(' or ')
  throw new ChanopError('conflict', `who is ${bare.slice(0, 60)}? write ${list}`)
}

/** An account as it is written, on networks whose ids have capitals, else in lower case. */
export function idMeant(tx: Tx, network: NetworkId, written: UserId): Meant & { readonly known: boolean } {
  const [exact, folded] = [written, written.toLowerCase() as UserId].map(user => {
    const account = { network, user }
    const person = personAt(tx, network, user)
    return { account, person, known: person !== null || isVouched(tx, account) }
  }) as [Meant & { known: boolean }, Meant & { known: boolean }]
  return exact.known ? exact : folded
}

/** Accounts of the person of that name that are none on `near` under another name, and those shown so on `near`. */
function namesakes(tx: Tx, name: string, near: NetworkId): Account[] {
  const person = personByName(tx, name)
  const theirs = person ? identitiesOf(tx, person) : []
  const own = theirs.some(({ network, user }) => network === near && user === name.toLowerCase())
  return [...(own ? [] : theirs), ...accountsShownAs(tx, near, name)]
}

/** As `accountMeant`, for who is to be given something: they become a person when they are none. */
export function personMeant(tx: Tx, word: string, near: NetworkId, nowMs: number): Person & { account: Account } {
  const { account, person } = accountMeant(tx, word, near)
  return { ...(person ?? personFor(tx, account.network, account.user, account.user, nowMs)), account }
}
