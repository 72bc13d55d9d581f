/** Who of the fleet is there, and calling a group by a command. */

import { z } from 'zod'
import { anybody, changes } from '../../../core/command/command.ts'
import { nameOf, rest } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { isAnywhere } from '../../../core/ledger/people/members.ts'
import { presenceAt, presenceNamed } from '../../../core/ledger/people/presence.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { duration, escapeInline, safeName } from '../../../core/text/text.ts'
import { decide } from '../fleet/ask.ts'
import { openCall } from '../fleet/call.ts'
import { chunks } from '../fleet/naming.ts'
import { choose, type Target } from '../fleet/targets.ts'
import { type Known, known } from '../known.ts'
import { declare } from '../services.ts'

const few = 6

interface Shown {
  readonly name: string
  readonly state: string
  readonly text: string
}

const ago = (atMs: number, nowMs: number): string => `${duration(Math.max(0, nowMs - atMs))} ago`

function rowOf(tx: Tx, { agent, label, accounts }: Target, knows: Known, nowMs: number): Shown {
  const known = accounts.flatMap(account => {
    const [network = '', user = ''] = account.split('\n')
    return presenceAt(tx, network, user) ?? []
  })
  const name = label.slice(label.indexOf(':') + 1)
  const last = known.toSorted((one, other) => other.seenMs - one.seenMs)[0]
  const paused = agent?.paused ? ' · paused' : ''
  if (!last) return { name, state: 'never seen', text: `${name} was never seen${paused}` }
  const state = agent ? last.state : isAnywhere(tx, last.network, last.user) ? 'online' : 'offline'
  const since = state === 'idle' || !agent ? last.seenMs : last.sinceMs
  const where = last.channel !== '' && knows.place(last) ? ` · last in ${escapeInline(last.channel)}` : ''
  return { name, state, text: `${name} ${state} ${duration(Math.max(0, nowMs - since))}${where}${paused}` }
}

function summary(rows: readonly Shown[]): string[] {
  const states = ['online', 'idle', 'offline', 'never seen']
    .map(state => ({ state, names: rows.filter(row => row.state === state).map(({ name }) => name) }))
    .filter(({ names }) => names.length > 0)
  const counted = states.map(({ state, names }) => `${names.length} ${state}`).join(', ')
  return [counted, ...states.flatMap(({ state, names }) => chunks(names).map(line => `${state}: ${line}`))]
}

const who = declare({
  name: 'who',
  summary: 'which agents are online, idle and offline; of a few, since when',
  ...anybody,
  reply: 'public',
  args: z.object({
    selector: rest()
      .max(2000)
      .meta({ type: 'selector' })
      .optional()
      .describe('worker-1, @all, @worker, @wor*; all without'),
  }),
  examples: [
    ['!who', '1 online, 1 offline\nonline: worker-001\noffline: worker-002'],
    ['!who worker-001', /^worker-001 online \d+\w+ · last in #general$/, 'worker-001 online 2h · last in #general'],
    ['!who @scout', "nobody fits '@scout': !agents lists who there is"],
  ],
  async run(context, { selector }) {
    const { ledger, services, caller, atMs, settings } = context
    await services.fleet.look()
    const rows = await ledger.read(db => {
      const { targets, nobody } = choose(db, selector ?? '@all', services.context.rooms.with(caller.place), atMs)
      if (selector !== undefined && nobody.length > 0) throw nobodyFits(nobody)
      const knows = known(db, context, 'public')
      return targets.map(target => rowOf(db, target, knows, atMs))
    })
    if (selector !== undefined && rows.length === 0) throw nobodyFits([selector])
    if (rows.length === 0) return `no agents yet: ${settings.prefix}register NICK makes one`
    const data = rows.map(({ name, state }) => ({ name, state }))
    return { lines: selector !== undefined && rows.length <= few ? rows.map(({ text }) => text) : summary(rows), data }
  },
})

export const nobodyFits = (nobody: readonly string[]): ChanopError =>
  new ChanopError(
    'not-found',
    `nobody fits ${nobody.map(part => `'${part.slice(0, 40)}'`).join(', ')}: !agents lists who there is`,
  )

const words: Readonly<Record<string, string>> = {
  join: 'came',
  leave: 'left',
  message: 'said something',
  typing: 'was typing',
  heartbeat: 'gave a sign of life',
}

const seen = declare({
  name: 'seen',
  summary: 'when somebody was last seen, and where',
  ...anybody,
  reply: 'public',
  args: z.object({ nick: nameOf('person').max(64) }),
  examples: [
    [
      '!seen worker-001',
      /^worker-001 is here · came \d+\w+ ago in #general$/,
      'worker-001 is here · came 2h ago in #general',
    ],
    ['!seen nobody', 'nobody called nobody was seen here'],
  ],
  async run(context, { nick }) {
    const { ledger, services, caller, atMs } = context
    await services.fleet.look()
    return ledger.read(db => {
      const presence = presenceNamed(db, nick, caller.network)
      if (!presence) return `nobody called ${escapeInline(safeName(nick, 60))} was seen here`
      const { network, channel, name, what, seenMs } = presence
      const where = channel !== '' && known(db, context, 'public').place(presence) ? ` in ${channel}` : ''
      const elsewhere = network === caller.network ? '' : ` on ${network}`
      const did = `${words[what] ?? 'was seen'} ${ago(seenMs, atMs)}${where}${elsewhere}`
      const here = isAnywhere(db, network, presence.user) ? 'is here · ' : ''
      return escapeInline(`${safeName(name)} ${here}${did}`)
    })
  },
})

const call = declare({
  name: 'call',
  summary: 'wakes the agents of a group in this room and counts who answers, as a mention of the group does',
  ...changes('guest'),
  args: z.object({
    selector: nameOf('selector').max(500).describe('@all, @worker, @wor*, @group; ,-x leaves out x'),
    words: rest().max(1000),
  }),
  examples: [
    ['!call @worker status', 'worker-001: alice: status'],
    ['!call @scout status', '@scout: nobody fits; !agents lists who there is'],
  ],
  async run(context, { selector, words: said }) {
    const { ledger, services, event, atMs } = context
    const { fleet } = services
    if (context.caller.private) throw new ChanopError('usage', 'say it in the room where the agents are')
    const config = services.context.settings.current
    const mention = { selector, words: said }
    const decision = await ledger.read(db => decide(db, { stored: event, mention }, config, fleet.rooms, atMs))
    if (decision.is === 'silent') throw new ChanopError('denied', 'that can not be said from here')
    if (decision.is === 'no') throw new ChanopError('denied', decision.line)
    const limited = fleet.limited(event, atMs)
    if (limited !== null) throw new ChanopError('denied', limited || 'too many calls')
    const untilMs = atMs + config.fleet.answerSeconds * 1000
    const { here } = decision
    return {
      effect: db =>
        openCall(db, 'admin', fleet.rooms, { stored: event, kind: 'mention', ...mention, here, untilMs }, atMs),
    }
  },
})

export const fleetCommands = [who, seen, call]
