import { z } from 'zod'
import { newCode } from '../../../core/access/claim-codes.ts'
import { includes } from '../../../core/access/role.ts'
import type { Answer } from '../../../core/command/command.ts'
import { nameOf } from '../../../core/command/parse/values.ts'
import { RateLimit } from '../../../core/command/state/rate.ts'
import { ChanopError } from '../../../core/error.ts'
import { type NetworkId, nowhere, text, type UserId } from '../../../core/event.ts'
import type { Giver } from '../../../core/ledger/people/claims.ts'
import { identitiesOf, type Person, personAt } from '../../../core/ledger/people/people.ts'
import { roleIn } from '../../../core/ledger/people/roles.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { loneRoom } from '../../../core/rooms.ts'
import { say } from '../../../core/say.ts'
import { escapeInline } from '../../../core/text/text.ts'
import { mustBeForGood, mustBeVouched, refuseSuperior } from '../authority.ts'
import { burn, offer, take } from '../links/codes.ts'
import { join, part, refuseAgent } from '../links/join.ts'
import { accountForm, accountMeant, written } from '../meant.ts'
import { type AdminServices, type Context, declare } from '../services.ts'

/** Codes that were tried, by account; and by everybody, in case somebody has many accounts. */
const tries = new WeakMap<AdminServices, RateLimit>()
const perAccount = { perMinute: 0.5, burst: 5 }
const inAll = { perMinute: 30, burst: 60 }

const accountOf = ({ caller }: Context): Giver => ({
  network: caller.network,
  user: caller.account,
  name: caller.name,
})

/** Guessing must not pay: after a few codes an account waits. */
function limit({ caller, atMs, services }: Context): void {
  const key = `${caller.network}:${caller.account}`
  const rate = tries.get(services) ?? new RateLimit()
  tries.set(services, rate)
  const all = rate.ask('', inAll, atMs)
  if (rate.ask(key, perAccount, atMs) === 'go' && all === 'go') return
  throw new ChanopError('rate-limited', `too many codes were tried: go on in ${rate.waitSeconds(key, perAccount)} s`)
}

/** The other side hears of it: who did not mean it can undo it. */
function tellGiver(tx: Tx, context: Context, giver: Giver, joined: Giver): void {
  const { prefix } = context.settings
  const line = `${written(joined)} is your account too from now on; not yours? ${prefix}link del ${written(joined)}`
  const to = { in: loneRoom(nowhere(giver.network)), only: giver.user }
  say(tx, { bot: 'admin', content: text(line), ...to, key: `link.${context.event.seq}` }, context.atMs)
}

/** A new code for the account that asks. Sealed like a password: it goes out on an encrypted way or not at all. */
async function give(context: Context): Promise<Answer> {
  if (!context.caller.private) {
    throw new ChanopError('usage', 'a code is not said in a room: say !link to admin in a direct message')
  }
  const code = newCode()
  const { prefix } = context.settings
  return {
    lines: [
      `the code comes next: say ${prefix}link CODE to admin in a direct message with your other account, within 10 minutes`,
      `show it to nobody: who says it is you from then on (none comes? connect with TLS and say ${prefix}link again)`,
    ],
    effect: db => {
      refuseAgent(db, accountOf(context))
      offer(db, accountOf(context), code, context.atMs)
    },
    secret: code,
  }
}

function use(context: Context, code: string): Answer {
  limit(context)
  if (!context.caller.private) {
    return {
      lines: ['others saw that code: it counts no more. Say link to admin in a direct message for a new one'],
      effect: db => void burn(db, code),
    }
  }
  return {
    effect: db => {
      const giver = take(db, code, context.atMs)
      const joining = accountOf(context)
      const person = join(db, giver, joining, context.atMs)
      tellGiver(db, context, giver, joining)
      const role = roleIn(db, person, '', context.atMs)
      return [escapeInline(`${written(joining)} is ${person.name} from now on, like ${written(giver)} · ${role}`)]
    },
  }
}

const link = declare({
  name: 'link new',
  aliases: ['link'],
  summary: 'makes accounts on two networks one person: gives a code, which the other account says',
  role: 'guest',
  reply: 'private',
  mutates: true,
  args: z.object({
    code: z.string().max(40).optional().meta({ secret: true }).describe('the code that your other account was given'),
  }),
  examples: [['!link new', 'a code is not said in a room: say !link to admin in a direct message']],
  async run(context, { code }) {
    mustBeVouched(context.caller)
    return code === undefined ? give(context) : use(context, code)
  },
})

/** The person behind the asker, or behind a name that an operator gives. */
function personMeant(tx: Tx, { caller }: Context, who: string | undefined): Person {
  const found = who === undefined ? caller.person : accountMeant(tx, who, caller.network).person
  if (!found) {
    const nobody = who === undefined ? 'nobody knows you here yet' : `nobody is called ${who.slice(0, 60)}`
    throw new ChanopError('not-found', nobody)
  }
  if (found.id !== caller.person?.id && !includes(caller.globalRole, 'operator')) {
    throw new ChanopError('denied', `that is not you: operators alone see the accounts of ${found.name}`)
  }
  return found
}

const personOfAccount = (tx: Tx, written: string): Person | null => {
  const [, network = '', user = ''] = accountForm.exec(written) ?? []
  return personAt(tx, network, user)
}

const list = declare({
  name: 'link list',
  aliases: ['links'],
  summary: 'the accounts that are one person: yours, or somebody’s for operators',
  role: 'guest',
  reply: 'private',
  args: z.object({ who: nameOf('person').optional().describe('a name, or network:account; you without') }),
  examples: [['!link list', 'alice: irc:alice']],
  async run(context, { who }) {
    mustBeVouched(context.caller)
    return context.ledger.read(db => {
      const person = personMeant(db, context, who)
      return escapeInline(`${person.name}: ${identitiesOf(db, person).map(written).join(', ')}`)
    })
  },
})

const del = declare({
  name: 'link del',
  aliases: ['unlink'],
  summary: 'an account is no longer its person’s',
  role: 'guest',
  reply: 'private',
  mutates: true,
  args: z.object({ account: nameOf('person').regex(accountForm, 'write network:account; !link list shows them') }),
  examples: [['!link del irc:alice', 'irc:alice is the only account of alice: it stays']],
  async run(context, { account }) {
    mustBeVouched(context.caller)
    const { caller, atMs } = context
    const [, network, user] = accountForm.exec(account) as RegExpExecArray
    const at = { network: network as NetworkId, user: user as UserId }
    return {
      effect: db => {
        const person = personOfAccount(db, account)
        if (!person) throw new ChanopError('not-found', `${account} is nobody’s account; !link list shows them`)
        if (person.id !== caller.person?.id) {
          if (!includes(caller.globalRole, 'operator'))
            throw new ChanopError('denied', `${account} is not your account`)
          const role = roleIn(db, person, '', atMs)
          refuseSuperior(caller.globalRole, person.name, role)
          mustBeForGood(db, caller, role, atMs)
        }
        part(db, person, at)
        return [escapeInline(`${account} is not ${person.name} any more`)]
      },
    }
  },
})

export const linkCommands = [link, list, del]
