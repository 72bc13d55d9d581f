import { z } from 'zod'
import { newCode } from '../../../core/access/claim-codes.ts'
import { includes, isRole, roles } from '../../../core/access/role.ts'
import { changes } from '../../../core/command/command.ts'
import { durationMs, named } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import type { UserId } from '../../../core/event.ts'
import { dropInvitation, type Invitation, openInvitations } from '../../../core/ledger/people/claims.ts'
import { newPassword } from '../../../core/new-password.ts'
import { dayMs, duration, escapeInline } from '../../../core/text/text.ts'
import { refuseReserved } from '../agents/names.ts'
import { mustBeForGood, ownUntil } from '../authority.ts'
import { invite, join, joining } from '../invitations.ts'
import { type Context, declare } from '../services.ts'
import { welcome } from '../welcome.ts'
import { account, confirmOwner, managed, refuseKnown } from './people.ts'

const usualMs = dayMs
const longestMs = 7 * usualMs

const create = declare({
  name: 'invite new',
  aliases: ['invite'],
  summary: 'gives a code that makes an account for a person, once, when it is claimed',
  ...changes('operator'),
  args: z.object({
    account,
    role: z.enum(roles).default('member').meta({ named: true }).describe('member unless said'),
    for: named(durationMs(), 'how long the code can be used; 1d unless said'),
  }),
  confirm: ({ account, role }, { caller }) => confirmOwner(caller, account, role),
  examples: [['!invite new bob', 'the code that invites bob as member is in your DM']],
  async run(context, { account, role, for: forMs = usualMs }) {
    const { caller, atMs, ledger } = context
    if (forMs > longestMs) throw new ChanopError('usage', `a code can be used for ${duration(longestMs)} at most`)
    const network = managed(context)
    const code = newCode()
    const roleUntilMs = await ledger.read(tx => ownUntil(tx, caller, role, atMs))
    const by = { network: caller.network, user: caller.account as UserId }
    return {
      lines: [`the code that invites ${account} as ${role} is in your DM`],
      effect: tx => {
        refuseKnown(tx, network, account)
        refuseReserved(tx, context, account)
        invite(tx, code, { network, user: account as UserId, role, by, roleUntilMs }, atMs + forMs)
      },
      secret: codeText(account, role, code, forMs),
    }
  },
})

const codeText = (account: string, role: string, code: string, forMs: number): string =>
  `code that makes the account ${account} (${role}): ${code} · once, within ${duration(forMs)}: npm run claim -- ${code} on the host, or claim ${code} in a DM to admin from any account`

/** A code that was said to admin: the account is made, and its login said to whoever said the code. */
export async function accept(context: Context, code: string, found: Invitation) {
  const { ledger, services, atMs } = context
  const { user, network, role } = found
  const password = newPassword()
  const order = joining(services.context.vault, code, found, password)
  const secret = await ledger.read(tx => welcome(tx, { account: user, network }, password))
  return {
    effect: (tx: Parameters<typeof join>[0]) => join(tx, code, order, atMs),
    orders: [
      {
        order,
        done: `${user} has an account as ${role}; its login:`,
        failed: `${user} has no account: {reason}; ask for another code`,
        secret,
      },
    ],
  }
}

const list = declare({
  name: 'invite list',
  aliases: ['invites'],
  summary: 'who is invited and has not come yet, by whom, and until when',
  role: 'operator',
  reply: 'private',
  examples: [['!invite list', 'nobody is invited: !invite new NAME gives a code']],
  async run({ ledger, atMs, settings }) {
    const open = await ledger.read(tx => openInvitations(tx, atMs))
    const lines = open.map(({ user, role, by, untilMs }) =>
      escapeInline(`${user} as ${role} · by ${by.user} · the code ends in ${duration(untilMs - atMs, 2)}`),
    )
    const none = `nobody is invited: ${settings.prefix}invite new NAME gives a code`
    return { lines: lines.length === 0 ? [none] : lines, data: open }
  },
})

const revoke = declare({
  name: 'invite revoke',
  summary: 'takes an invitation back: its code counts no more',
  ...changes('operator'),
  args: z.object({ account }),
  examples: [['!invite revoke bob', 'no invitation waits for bob; !invite list shows them']],
  async run(context, { account }) {
    const network = managed(context)
    return {
      effect: tx => {
        const found = openInvitations(tx, context.atMs).find(
          ({ network: on, user }) => on === network && user.toLowerCase() === account.toLowerCase(),
        )
        if (!found) throw new ChanopError('not-found', `no invitation waits for ${account}; !invite list shows them`)
        const { role } = found
        if (isRole(role) && !includes(context.caller.globalRole, role))
          throw new ChanopError('denied', `you are ${context.caller.globalRole}, and ${account} is invited as ${role}`)
        const { by } = found
        if (by.network !== context.caller.network || by.user !== context.caller.account)
          mustBeForGood(tx, context.caller, isRole(role) ? role : 'operator', context.atMs)
        dropInvitation(tx, found)
        return [escapeInline(`${account} is not invited any more: the code counts no more`)]
      },
    }
  },
})

export const inviteCommands = [create, list, revoke]
