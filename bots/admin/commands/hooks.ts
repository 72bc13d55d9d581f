/** Webhooks: `hook new` (another program tells a room), `hook out` (a room is told to another program), `list`, `dead`, `retry`, `del`. */

import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { hookFormats, keyNetworks } from '../../../config/networks.ts'
import { mayBeIn } from '../../../core/access/admission.ts'
import { apiKeyHash, newHookWord } from '../../../core/access/api-keys.ts'
import { passesForOurs } from '../../../core/access/reserved.ts'
import { includes, type Role } from '../../../core/access/role.ts'
import { byOf, changes } from '../../../core/command/command.ts'
import { flag, listOf, named } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { type Agent, mayEnter } from '../../../core/ledger/agents/agents.ts'
import { newestSeq } from '../../../core/ledger/record/history.ts'
import { keyOfAccount } from '../../../core/ledger/settings/api-keys.ts'
import {
  deadCount,
  deadLetters,
  dropHook,
  type HookIn,
  type HookOut,
  hookEvents,
  hookExists,
  hookOut,
  hooksIn,
  hooksOut,
  insertHookIn,
  insertHookOut,
  retryDead,
} from '../../../core/ledger/settings/hooks.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Room } from '../../../core/rooms.ts'
import { ago, escapeInline, time } from '../../../core/text/text.ts'
import { mustBeForGood } from '../authority.ts'
import { known } from '../known.ts'
import { noRoom } from '../meant.ts'
import { type Context, declare } from '../services.ts'

const hookName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,23}$/, 'write a lower-case name such as ci or alerts')
  .describe('what it is called, and who is shown as the speaker')
const room = z.string().min(1).max(200).meta({ type: 'room' }).describe('a room, or a place of one')

/** Senders that sign by themselves once they have a secret. */
const signing: readonly string[] = ['github', 'gitlab']

function mustListen({ services }: Context): { network: string; url: string } {
  const [found] = keyNetworks(services.context.settings.current)
  if (found) return found
  throw new ChanopError('unsupported', 'no network here takes HTTP: configure one of kind http (docs/http.md)')
}

function roomMeant({ services, caller }: Context, written: string): Room {
  const found = services.context.rooms.meant(written, caller.place)
  if (found) return found
  throw noRoom(written)
}

/** A webhook goes on by itself: nobody makes one who may do less later, by a key, for a time or in other rooms. Throws `denied`. */
function mustOutlast(tx: Tx, context: Context, room: Room, needed: Role): void {
  const { caller, atMs } = context
  if (keyOfAccount(tx, caller.network, caller.account))
    throw new ChanopError('denied', 'a key may not do that, a webhook would outlast it: say it in chat')
  if (caller.agent) return mustEnter(tx, context, caller.agent, room)
  mustBeForGood(tx, caller, needed, atMs)
}

function mustEnter(tx: Tx, context: Context, agent: Agent, room: Room): void {
  const { caller, event, atMs, services } = context
  const { rooms } = services.context
  if (agent.expiresMs !== null)
    throw new ChanopError('denied', `the engagement of ${agent.name} ends, a webhook does not: ask an operator`)
  const who = { network: caller.network, sender: event.event.sender }
  const enters = room.places.some(
    each => each.network === agent.network && mayEnter(agent, each.channel) && mayBeIn(tx, rooms, each, who, atMs),
  )
  if (enters) return
  if (!known(tx, context, 'private').room(room.name)) throw noRoom(room.name)
  throw new ChanopError('denied', `the engagement of ${agent.name} does not name ${room.name}: ask an operator`)
}

/** The name that was given, or the first of `base`, `base-2`, … that is free. */
function freeName(context: Context, taken: (name: string) => boolean, given: string | undefined, base: string): string {
  if (given !== undefined) {
    if (passesForOurs(given)) throw new ChanopError('conflict', `${given} is a word of the system: choose another name`)
    if (taken(given))
      throw new ChanopError('conflict', `there is a hook ${given} already: ${context.settings.prefix}hook list`)
    return given
  }
  for (let at = 1; ; at++) {
    const name = at === 1 ? base : `${base}-${at}`
    if (!taken(name)) return name
  }
}

const create = declare({
  name: 'hook new',
  summary: 'makes an address at which another program tells a room something; it comes once, to you alone',
  ...changes('operator'),
  args: z.object({
    room,
    format: z
      .enum(hookFormats as [string, ...string[]])
      .default('text')
      .meta({ named: true })
      .describe('what the program sends: text or JSON with a text, or the messages of that product'),
    name: named(hookName),
    signed: flag('only what is signed with its secret is taken; always so for github and gitlab'),
  }),
  examples: [['!hook new general', 'no network here takes HTTP: configure one of kind http (docs/http.md)']],
  async run(context, given) {
    const { network, url } = mustListen(context)
    const meant = roomMeant(context, given.room)
    const word = newHookWord()
    const secret = given.signed || signing.includes(given.format) ? randomBytes(24).toString('base64url') : null
    const { vault } = context.services.context
    return {
      secret: `url=${url}/hooks/${word}${secret === null ? '' : ` secret=${secret}`}`,
      effect: tx => {
        mustOutlast(tx, context, meant, 'operator')
        const base = given.format === 'text' ? 'hook' : given.format
        const name = freeName(context, taken => hookExists(tx, taken), given.name, base)
        insertHookIn(tx, {
          name,
          network,
          hash: apiKeyHash(word),
          room: meant.name,
          format: given.format,
          secret: secret === null ? null : vault.seal(`hook:${name}`, secret),
          createdMs: context.atMs,
          createdBy: byOf(context.caller),
          usedMs: null,
        })
        return [
          `the hook ${name} tells ${escapeInline(meant.name)} what it gets (${given.format}); its address is in your DM`,
        ]
      },
    }
  },
})

const target = z
  .url({ protocol: /^https?$/, error: 'write an address such as https://example.org/in' })
  .max(2000)
  .refine(written => {
    const url = URL.parse(written)
    return url === null || (url.username === '' && url.password === '' && url.hash === '')
  }, 'write the address without a name, a password and a #: what is sent is signed')

const out = declare({
  name: 'hook out',
  summary: 'tells another program what happens in a room, signed, each thing at least once and in order',
  ...changes('operator'),
  args: z.object({
    room,
    url: target.describe('where it is sent, by POST'),
    name: named(hookName),
    events: named(
      listOf(`some of ${hookEvents.join(',')}`, hookEvents),
      `${hookEvents.join(',')}; message,edit,delete unless said`,
    ),
    internal: flag('it may be an address of this machine or of a private network; for owners'),
  }),
  examples: [
    [
      '!hook out general https://example.org/in',
      'no network here takes HTTP: configure one of kind http (docs/http.md)',
    ],
  ],
  async run(context, given) {
    const { network } = mustListen(context)
    const meant = roomMeant(context, given.room)
    if (given.internal && !includes(context.caller.globalRole, 'owner'))
      throw new ChanopError('denied', 'an owner may do that: addresses inside reach what nobody outside may')
    const secret = `whsec_${randomBytes(32).toString('base64')}`
    const { vault } = context.services.context
    return {
      secret: `secret=${secret}`,
      effect: tx => {
        mustOutlast(tx, context, meant, given.internal ? 'owner' : 'operator')
        const name = freeName(context, taken => hookExists(tx, taken), given.name, 'out')
        insertHookOut(tx, {
          name,
          network,
          url: given.url,
          secret: vault.seal(`hook:${name}`, secret),
          room: meant.name,
          events: given.events ?? ['message', 'edit', 'delete'],
          internal: given.internal,
          cursor: newestSeq(tx),
          failingMs: null,
          fault: null,
          createdMs: context.atMs,
          createdBy: byOf(context.caller),
        })
        return [
          `the hook ${name} sends what happens in ${escapeInline(meant.name)}; the secret that it signs with is in your DM`,
        ]
      },
    }
  },
})

const inLine = ({ name, room: to, format, secret, usedMs, createdBy }: HookIn, nowMs: number): string =>
  `${name} → ${to}: ${format}${secret ? ', signed' : ''} · ${usedMs === null ? 'never used' : `used ${ago(usedMs, nowMs)}`} · by ${createdBy}`

/** What stands behind the host may be a secret of its receiver. */
const shownUrl = (url: string): string => new URL(url).origin

function outLine(
  { name, room: from, url, events, failingMs, fault, createdBy }: HookOut,
  dead: number,
  prefix: string,
  nowMs: number,
) {
  const state = failingMs === null ? 'works' : `does not arrive since ${ago(failingMs, nowMs)}: ${fault ?? ''}`
  const lost = dead === 0 ? '' : ` · ${dead} given up: ${prefix}hook dead ${name}`
  return `${from} → ${name}: ${shownUrl(url)} · ${events.join(',')} · ${state}${lost} · by ${createdBy}`
}

const list = declare({
  name: 'hook list',
  aliases: ['hooks'],
  summary: 'webhooks of both directions, and whether they work',
  role: 'operator',
  reply: 'private',
  examples: [['!hook list', 'there is no hook: !hook new and !hook out make one']],
  async run({ ledger, atMs, settings: { prefix } }) {
    const none = `there is no hook: ${prefix}hook new and ${prefix}hook out make one`
    return ledger.read(tx => {
      const [coming, going] = [hooksIn(tx), hooksOut(tx)]
      const lines = [
        ...coming.map(hook => inLine(hook, atMs)),
        ...going.map(hook => outLine(hook, deadCount(tx, hook.name), prefix, atMs)),
      ]
      return {
        lines: lines.length === 0 ? [none] : lines.map(escapeInline),
        data: {
          in: coming.map(({ hash: _hash, secret, ...hook }) => ({ ...hook, signed: secret !== null })),
          out: going.map(({ secret: _secret, url, ...hook }) => ({ ...hook, url: shownUrl(url) })),
        },
      }
    })
  },
})

function mustSend(tx: Tx, name: string): void {
  if (!hookOut(tx, name)) throw new ChanopError('not-found', `no hook ${name} sends anything: !hook list`)
}

const dead = declare({
  name: 'hook dead',
  summary: 'what a webhook could not deliver, newest first',
  role: 'operator',
  reply: 'private',
  args: z.object({ name: hookName }),
  examples: [['!hook dead alerts', 'no hook alerts sends anything: !hook list']],
  async run({ ledger }, { name }) {
    return ledger.read(tx => {
      mustSend(tx, name)
      const letters = deadLetters(tx, name, 100)
      const lines = letters.map(({ seq, fault, atMs }) => escapeInline(`${seq} · ${time(atMs)} · ${fault}`))
      return { lines: lines.length === 0 ? [`all of ${name} arrived`] : lines, data: letters }
    })
  },
})

const retry = declare({
  name: 'hook retry',
  summary: 'sends once more what a webhook could not deliver, and all that followed it',
  ...changes('operator'),
  args: z.object({ name: hookName }),
  examples: [['!hook retry alerts', 'no hook alerts sends anything: !hook list']],
  async run({ ledger }, { name }) {
    await ledger.read(tx => mustSend(tx, name))
    return {
      effect: tx => {
        const again = retryDead(tx, name)
        return [
          again === 0 ? `all of ${name} arrived` : `${name}: ${again} are sent once more, with what followed them`,
        ]
      },
    }
  },
})

const del = declare({
  name: 'hook del',
  summary: 'ends a webhook at once',
  ...changes('operator'),
  args: z.object({ name: hookName }),
  examples: [['!hook del alerts', 'no hook is called alerts: !hook list']],
  async run({ ledger }, { name }) {
    const there = await ledger.read(tx => hookExists(tx, name))
    if (!there) throw new ChanopError('not-found', `no hook is called ${name}: !hook list`)
    return {
      effect: tx => {
        dropHook(tx, name)
        return [`the hook ${name} is gone`]
      },
    }
  },
})

export const hookCommands = [create, out, list, dead, retry, del]
