/** Keys by which programs speak for somebody: `key new`, `list`, `rotate`, `revoke`. */

import { z } from 'zod'
import { keyNetworks } from '../../../config/networks.ts'
import { apiKeyHash, newApiKey, prefixOf, type Scope, scopes } from '../../../core/access/api-keys.ts'
import { passesForOurs } from '../../../core/access/reserved.ts'
import { includes } from '../../../core/access/role.ts'
import { byOf, changes } from '../../../core/command/command.ts'
import { flag, listOf, moment, named, whole } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { type Agent, agentNamed, engaged } from '../../../core/ledger/agents/agents.ts'
import { addIdentity, dropIdentity, type Person, personAt } from '../../../core/ledger/people/people.ts'
import { roleIn } from '../../../core/ledger/people/roles.ts'
import {
  type ApiKey,
  apiKeys,
  insertKey,
  isInForce,
  keyOfAccount,
  revokeKey,
  rotateKey,
} from '../../../core/ledger/settings/api-keys.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { ago, escapeInline, time } from '../../../core/text/text.ts'
import { isOwn } from '../agents/asking.ts'
import { mustReach } from '../agents/reach.ts'
import { mustBeForGood } from '../authority.ts'
import { known } from '../known.ts'
import { accountMeant, noRoom } from '../meant.ts'
import { type Context, declare } from '../services.ts'

const usualScopes: readonly Scope[] = ['read', 'say', 'command']

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'write a lower-case name such as ci or open-webui')
  .describe('what the key is called; an account of that name is made')

/** Where keys are for: the one network that takes them, or the one that is named. */
function keyed({ services }: Context, named: string | undefined): { network: NetworkId; url: string } {
  const all = keyNetworks(services.context.settings.current)
  const found = named === undefined ? all[0] : all.find(({ network }) => network === named)
  if (!found)
    throw new ChanopError('unsupported', 'no network here takes keys: configure one of kind http (docs/http.md)')
  if (named === undefined && all.length > 1)
    throw new ChanopError('usage', `on=… says which: ${all.map(({ network }) => network).join(', ')}`)
  return found
}

/** A key makes, changes and shows no keys: what was taken with it would go on for ever. */
function refuseKeys(tx: Tx, { caller }: Context): void {
  if (keyOfAccount(tx, caller.network, caller.account))
    throw new ChanopError('denied', 'a key may not do that: say it in chat')
  if (!caller.verified || (!caller.person && !caller.agent))
    throw new ChanopError('denied', 'nobody knows you here yet: a key acts for somebody')
}

/** Whom a key acts for. Throws `denied` when the asker may not say so. */
function ownerMeant(tx: Tx, context: Context, written: string | undefined): { agent: Agent } | { person: Person } {
  const { caller, atMs } = context
  const agent = written === undefined ? caller.agent : agentNamed(tx, written)
  if (agent) {
    if (!engaged(agent, atMs)) throw new ChanopError('conflict', `the engagement of ${agent.name} is over`)
    const mayGive = isOwn(context, agent) || (!caller.agent && includes(caller.globalRole, 'operator'))
    if (!mayGive) throw new ChanopError('denied', `${agent.name} is not yours: ask an operator`)
    return { agent }
  }
  const person = written === undefined ? caller.person : accountMeant(tx, written, caller.network).person
  if (!person)
    throw new ChanopError('not-found', `nobody is called ${(written ?? '').slice(0, 60)}: !person list, !agents`)
  if (person.id === caller.person?.id) return { person }
  const role = roleIn(tx, person, '', atMs)
  if (caller.agent || !includes(caller.globalRole, 'operator') || !includes(caller.globalRole, role))
    throw new ChanopError('denied', `a key for ${person.name} is theirs to make: they are ${role}`)
  mustBeForGood(tx, caller, role, atMs)
  return { person }
}

/** As `ownerMeant`, and the asker may have a login of theirs: who gets the key speaks for them. */
async function ownerReached(context: Context, written: string | undefined) {
  const who = await context.ledger.read(tx => {
    refuseKeys(tx, context)
    return ownerMeant(tx, context, written)
  })
  if ('agent' in who) await mustReach(context, [who.agent])
  return who
}

function refuseTaken(tx: Tx, network: NetworkId, account: string): void {
  if (passesForOurs(account))
    throw new ChanopError('conflict', `${account} is (or looks like) a bot or a service already: choose another name`)
  const known = keyOfAccount(tx, network, account)
  if (known) {
    const then =
      known.revokedMs === null ? '!key rotate gives it another secret' : 'it was revoked: choose another name'
    throw new ChanopError('conflict', `there is a key ${account} already; ${then}`)
  }
  if (personAt(tx, network, account))
    throw new ChanopError('conflict', `${network}:${account} is taken: choose another name`)
}

const secretLine = (key: string, url: string): string => `key=${key} url=${url}/v1`

const create = declare({
  name: 'key new',
  summary: 'makes a key by which a program speaks for you, or for an agent of yours; it comes once, to you alone',
  ...changes('member'),
  args: z.object({
    name,
    for: named(z.string().min(1).max(100), 'whom it acts for: an agent or a person; you unless said'),
    scope: named(listOf(scopes.join(','), scopes), `${scopes.join(',')}; ${usualScopes.join(',')} unless said`),
    rooms: named(
      listOf('names of rooms: general,ops'),
      'rooms it reads and speaks in (commands go by the role of its owner); all that its owner may unless said',
    ),
    rate: named(whole(1, 1_000_000), 'requests a minute'),
    budget: named(
      z
        .string()
        .regex(/^\d{1,6}(\.\d{1,4})?$/, 'write US dollars a day, e.g. 2.50')
        .transform(Number),
      'US dollars a day for models',
    ),
    until: named(moment('future'), 'when it ends: 30d, 2027-01-01'),
    users: flag('it speaks for users of its own, as Open WebUI does, and is believed who they are'),
    on: named(z.string(), 'the network, where several take keys'),
  }),
  examples: [['!key new ci scope=read', 'no network here takes keys: configure one of kind http (docs/http.md)']],
  async run(context, given) {
    const { network, url } = keyed(context, given.on)
    const { atMs, caller, services } = context
    const unknown = await context.ledger.read(tx => {
      const knows = known(tx, context, 'private')
      return given.rooms?.find(word => {
        const room = services.context.rooms.meant(word, caller.place)
        return !room || !knows.room(room.name)
      })
    })
    if (unknown !== undefined) throw noRoom(unknown)
    const secret = newApiKey()
    const who = await ownerReached(context, given.for)
    return {
      secret: secretLine(secret, url),
      effect: tx => {
        refuseTaken(tx, network, given.name)
        const key: ApiKey = {
          network,
          account: given.name as UserId,
          prefix: prefixOf(secret) ?? '',
          hash: apiKeyHash(secret),
          agent: 'agent' in who ? who.agent.name : null,
          scopes: given.scope ?? usualScopes,
          rooms: given.rooms ?? null,
          perMinute: given.rate ?? null,
          budgetUsd: given.budget ?? null,
          forwards: given.users,
          createdMs: atMs,
          createdBy: byOf(caller),
          untilMs: given.until ?? null,
          usedMs: null,
          revokedMs: null,
        }
        insertKey(tx, key)
        if ('person' in who) addIdentity(tx, who.person, { network, user: key.account })
        return [escapeInline(`the key ${given.name} is made for ${nameOf(who)}: ${termsOf(key)}; it is in your DM`)]
      },
    }
  },
})

const nameOf = (who: { agent: Agent } | { person: Person }): string =>
  'agent' in who ? who.agent.name : who.person.name

function termsOf({ scopes: may, rooms, perMinute, budgetUsd, forwards, untilMs }: ApiKey): string {
  return [
    may.join(','),
    rooms ? `in ${rooms.join(',')}` : '',
    perMinute === null ? '' : `${perMinute} requests a minute`,
    budgetUsd === null ? '' : `${budgetUsd} USD a day`,
    forwards ? 'for users of its own' : '',
    untilMs === null ? '' : `until ${time(untilMs)}`,
  ]
    .filter(Boolean)
    .join(' · ')
}

/** The key of a name, when the asker answers for it. */
function theKey(tx: Tx, context: Context, written: string): ApiKey {
  const { caller } = context
  const found = apiKeys(tx).find(({ account, revokedMs }) => account === written && revokedMs === null)
  if (!found || !isMine(tx, context, found)) {
    if (found && includes(caller.globalRole, 'operator') && !caller.agent) return found
    throw new ChanopError('not-found', `no key of yours is called ${written.slice(0, 40)}: !key list shows them`)
  }
  return found
}

function isMine(tx: Tx, context: Context, key: ApiKey): boolean {
  if (key.agent === null) return personAt(tx, key.network, key.account)?.id === context.caller.person?.id
  const agent = agentNamed(tx, key.agent)
  return agent !== null && isOwn(context, agent)
}

const list = declare({
  name: 'key list',
  aliases: ['keys'],
  summary: 'keys that speak for you and your agents, for operators all of them, and when they were used last',
  role: 'member',
  reply: 'private',
  examples: [['!key list', 'there is no key: !key new makes one']],
  async run(context) {
    const { ledger, caller, atMs, settings } = context
    const none = `there is no key: ${settings.prefix}key new makes one`
    return ledger.read(tx => {
      refuseKeys(tx, context)
      const all = includes(caller.globalRole, 'operator') && !caller.agent
      const shown = apiKeys(tx).filter(key => key.revokedMs === null && (all || isMine(tx, context, key)))
      const lines = shown.map(key => escapeInline(keyLine(tx, key, atMs)))
      return { lines: lines.length === 0 ? [none] : lines, data: shown.map(({ hash: _hash, ...key }) => key) }
    })
  },
})

function keyLine(tx: Tx, key: ApiKey, nowMs: number): string {
  const who = key.agent ?? personAt(tx, key.network, key.account)?.name ?? 'nobody any more'
  const used = key.usedMs === null ? 'never used' : `used ${ago(key.usedMs, nowMs)}`
  const over = isInForce(key, nowMs) ? '' : ' · its time is over'
  return `${key.account} for ${who}: ${termsOf(key)} · chanop_${key.prefix}_… · ${used}${over}`
}

const rotate = declare({
  name: 'key rotate',
  summary: 'gives a key another secret; the one before opens nothing from that moment on',
  ...changes('member'),
  args: z.object({ name }),
  examples: [['!key rotate ci', 'no key of yours is called ci: !key list shows them']],
  async run(context, { name: written }) {
    const secret = newApiKey()
    const { key, mine } = await context.ledger.read(tx => {
      refuseKeys(tx, context)
      const key = theKey(tx, context, written)
      return { key, mine: key.agent === null && isMine(tx, context, key) }
    })
    // Who gets the secret speaks for its owner.
    if (!mine) await ownerReached(context, key.agent ?? `${key.network}:${key.account}`)
    const { url } = keyed(context, key.network)
    return {
      lines: [`the key ${key.account} has another secret, in your DM; the one before opens nothing any more`],
      secret: secretLine(secret, url),
      effect: tx => {
        theKey(tx, context, written)
        rotateKey(tx, { ...key, prefix: prefixOf(secret) ?? '', hash: apiKeyHash(secret) })
      },
    }
  },
})

const revoke = declare({
  name: 'key revoke',
  summary: 'ends a key at once, with all that is open by it',
  ...changes('member'),
  args: z.object({ name }),
  examples: [['!key revoke ci', 'no key of yours is called ci: !key list shows them']],
  async run(context, { name: written }) {
    return {
      effect: tx => {
        refuseKeys(tx, context)
        const key = theKey(tx, context, written)
        if (!isMine(tx, context, key)) mustBeForGood(tx, context.caller, 'operator', context.atMs)
        revokeKey(tx, key, context.atMs)
        if (key.agent === null) dropIdentity(tx, key.network, key.account)
        return [`the key ${key.account} is revoked: it opens nothing any more`]
      },
    }
  },
})

export const keyCommands = [create, list, rotate, revoke]
