/** What an agent is engaged for, signed, and how that is verified: `engagement`, `revoked`, `jwks`; and `claim`, which hands over its login. */

import { z } from 'zod'
import { includes } from '../../../core/access/role.ts'
import { anybody } from '../../../core/command/command.ts'
import { ChanopError } from '../../../core/error.ts'
import { engaged } from '../../../core/ledger/agents/agents.ts'
import { revokedSerials } from '../../../core/ledger/people/serials.ts'
import { escapeInline, time } from '../../../core/text/text.ts'
import { agentName, guardAgents } from '../agents/asking.ts'
import { claimed, redeem } from '../agents/claims.ts'
import { theAgent } from '../agents/record.ts'
import { invited } from '../invitations.ts'
import { declare } from '../services.ts'
import { nobodyHere } from './agents.ts'
import { accept } from './invite.ts'

const engagement = declare({
  name: 'engagement',
  summary: 'an agent’s signed engagement; key shows what it is verified with',
  ...anybody,
  reply: 'private',
  args: z.object({ nick: agentName.optional().describe('an agent’s own without') }),
  examples: [['!engagement nobody', nobodyHere]],
  async run(context, { nick }) {
    const { caller, ledger, atMs } = context
    const agent = await ledger.read(tx => theAgent(tx, nick ?? caller.agent?.name ?? caller.account))
    if (!includes(caller.globalRole, 'member')) guardAgents(context, [agent], 'engagement')
    if (!engaged(agent, atMs) || agent.engagement === null)
      return `${agent.name} has no engagement now: it is ${agent.state}`
    return { lines: [`engagement=${escapeInline(agent.engagement)}`] }
  },
})

const revoked = declare({
  name: 'revoked',
  summary: 'serials of engagements that were taken back before their end; also in data/agents/revoked.json',
  ...anybody,
  reply: 'private',
  examples: [['!revoked', 'no engagement that was taken back would still hold']],
  async run({ ledger, atMs }) {
    const all = await ledger.read(tx => revokedSerials(tx, atMs))
    if (all.length === 0) return 'no engagement that was taken back would still hold'
    return { lines: all.map(one => `jti=${one.jti} exp=${Math.floor(one.untilMs / 1000)} · ${time(one.atMs)}`) }
  },
})

const key = declare({
  name: 'jwks',
  summary: 'the public keys with which anybody can verify an engagement',
  ...anybody,
  reply: 'public',
  examples: [
    [
      '!jwks',
      /^\{"kty":"OKP"/,
      '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"k1"}',
    ],
  ],
  async run({ services }) {
    const { keys } = services.signer.publicKeys
    if (keys.length === 0) return 'no key: the vault is locked'
    return { lines: keys.map(one => escapeInline(JSON.stringify(one))) }
  },
})

const claim = declare({
  name: 'claim',
  summary: 'hands over the login that waits for a code, or makes the account it invites to, once',
  ...anybody,
  reply: 'private',
  where: 'dm',
  mutates: true,
  args: z.object({ code: z.string().min(4).max(40).meta({ secret: true }) }),
  examples: [
    [
      'claim AAAA-BBBB-CCCC',
      /^no login waits for that code/,
      'no login waits for that code: it was used, has run out, or is mistyped; ask whoever gave it for another',
    ],
  ],
  async run(context, { code }) {
    const { ledger, services, atMs, caller } = context
    const { vault } = services.context
    if (!caller.verified)
      throw new ChanopError('denied', 'log in to an account first: the login is said to nobody else')
    const found = await ledger.read(tx => invited(tx, code, atMs))
    if (found) return accept(context, code, found)
    const { agent, login } = await ledger.read(tx => claimed(tx, vault, code, atMs))
    return {
      lines: [`the login of ${agent}:`],
      effect: tx => {
        redeem(tx, vault, code, atMs)
      },
      secret: login,
    }
  },
})

export const engagementCommands = [engagement, revoked, key, claim]
