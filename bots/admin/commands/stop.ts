/** The kill switch: `stop`, `pause`, `resume` reach agents by a mention with the word, and count who obeyed. */

import { z } from 'zod'
import { includes } from '../../../core/access/role.ts'
import { agentSpends } from '../../../core/access/spender.ts'
import type { Answer } from '../../../core/command/command.ts'
import { rest } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { setPaused } from '../../../core/ledger/agents/agents.ts'
import type { StopScope } from '../../../core/ledger/oracle/turns.ts'
import type { CallKind } from '../../../core/ledger/out/calls.ts'
import { publicPlaces } from '../../../core/ledger/settings/places.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { runs, stopAnswers, stopperOf, stopRequests, stopScope } from '../../../core/stop.ts'
import { some } from '../../../core/text/text.ts'
import { meantBy } from '../fleet/addressed.ts'
import { openCall, placesOf } from '../fleet/call.ts'
import { choose, type Here, nameOf, present, type Target } from '../fleet/targets.ts'
import { type Context, declare } from '../services.ts'
import { nobodyFits } from './fleet.ts'

type Word = Exclude<CallKind, 'mention'>

interface Meant {
  readonly targets: readonly Target[]
  readonly here: readonly Here[]
  /** Which answers of the oracle are meant as well, or alone. */
  readonly answers: StopScope | null
}

const oracleName = /^@?oracle$/
const allAnswers = /^all$/
const allNames = /^@?\*$|^@all$/

const partsOf = (selector: string | undefined): string[] =>
  (selector ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(part => part !== '')

/** The answers of the oracle that are meant; null: none. */
function answersMeant(db: Tx, context: Context, selector: string | undefined): StopScope | null {
  const parts = partsOf(selector)
  if (parts.some(part => allAnswers.test(part) || allNames.test(part))) return 'all'
  if (selector !== undefined && !parts.some(part => oracleName.test(part))) return null
  return stopScope(db, context.event.event, stopperOf(context.caller))
}

/** Without a selector an answer that runs goes before the agent that was spoken to last. */
function meant(db: Tx, context: Context, word: Word, selector: string | undefined): Meant {
  const { event, services, atMs } = context
  const answers = word === 'stop' ? answersMeant(db, context, selector) : null
  const bare = selector === undefined
  if (bare && answers && runs(db, answers, stopperOf(context.caller))) return { targets: [], here: [], answers }
  const others = partsOf(selector).filter(part => !oracleName.test(part) && !allAnswers.test(part))
  const asked = bare ? meantBy(db, event).map(nameOf) : others
  const { targets, nobody } =
    asked.length === 0
      ? { targets: [], nobody: [] }
      : choose(db, asked.join(','), services.context.rooms.with(event.event.place), atMs)
  if (selector !== undefined && nobody.length > 0) throw nobodyFits(nobody)
  const agents = targets.filter(({ agent }) => agent !== null)
  const places = [...placesOf(services.fleet.rooms, event), ...publicPlaces(db)]
  return { targets: agents, here: present(db, agents, places), answers: bare && agents.length > 0 ? null : answers }
}

const pausing: Readonly<Record<Word, boolean | null>> = { stop: null, pause: true, resume: false }

function keepPaused(tx: Tx, word: Word, targets: readonly Target[]): void {
  const paused = pausing[word]
  const names = targets.map(({ label }) => nameOf(label))
  if (paused !== null) setPaused(tx, names, paused)
}

const done: Readonly<Record<Word, string>> = { stop: 'told to stop', pause: 'paused', resume: 'awake again' }

/** Only what the mention and the count do not say. */
function lines(word: Word, { targets, here }: Meant): string[] {
  const there = new Set(here.map(({ label }) => label))
  const absent = targets.filter(({ label }) => !there.has(label)).map(({ label }) => nameOf(label))
  if (absent.length === 0) return []
  return [word === 'stop' ? `not here: ${some(absent)}` : `${done[word]} though not here: ${some(absent)}`]
}

function mayTell({ caller }: Context, word: Word, selector: string | undefined, { targets }: Meant): void {
  if (partsOf(selector).some(part => allNames.test(part)) && !includes(caller.globalRole, 'operator'))
    throw new ChanopError('denied', `${word} @all needs operator; you are ${caller.globalRole}`)
  if (targets.length > 0 && !caller.agent && !includes(caller.role, 'member'))
    throw new ChanopError('denied', `${word} needs member; you are ${caller.role}`)
}

async function tell(context: Context, word: Word, selector: string | undefined): Promise<Answer | string> {
  const { ledger, services, event, atMs } = context
  const { fleet } = services
  const { settings } = services.context
  const found = await ledger.read(db => meant(db, context, word, selector))
  mayTell(context, word, selector, found)
  const { targets, here, answers } = found
  const hint = `${context.settings.prefix}${word}`
  if (targets.length === 0 && !answers) return `${word} whom? ${hint} worker-1, ${hint} @worker or ${hint} @all`
  const untilMs = atMs + settings.current.fleet.stopSeconds * 1000
  return {
    effect: db => {
      keepPaused(db, word, targets)
      const call = { stored: event, kind: word, selector: selector ?? '', words: '', here, untilMs }
      if (here.length > 0) openCall(db, 'admin', fleet.rooms, call, atMs)
      const meantToo = answers && (targets.length === 0 || runs(db, answers, stopperOf(context.caller)))
      const stopped = meantToo ? stopAnswers(db, answers, stopperOf(context.caller), atMs) : []
      const spenders = targets.flatMap(({ agent }) => (agent ? [agentSpends(agent)] : []))
      const requests = word === 'stop' ? stopRequests(db, { spenders }, atMs) : []
      return [...stopped, ...requests, ...lines(word, found)]
    },
  }
}

const whom = z.object({
  selector: rest()
    .max(2000)
    .meta({ type: 'selector' })
    .optional()
    .describe(
      'worker-1, @all, @worker; all: every answer of the oracle; without: your answer here, else the agent replied to or spoken to last',
    ),
})
const common = { reply: 'public', mutates: true, urgent: true, args: whom } as const

const stop = declare({
  ...common,
  name: 'stop',
  summary: 'stops the oracle’s answer to you, or the one replied to; tells agents to stop, counts who obeyed',
  role: 'guest',
  examples: [
    ['!stop worker-001', 'worker-001: stop'],
    ['!stop @worker', 'worker-001: stop\nnot here: worker-002'],
    ['!stop', 'nothing of yours runs here'],
    ['!stop all', 'the oracle answers nobody at the moment'],
  ],
  run: (context, { selector }) => tell(context, 'stop', selector),
})

const pause = declare({
  ...common,
  role: 'member',
  name: 'pause',
  summary: 'agents do nothing until they are resumed, and no mention of a group wakes them',
  examples: [
    ['!pause worker-001', 'worker-001: pause'],
    ['!pause', 'pause whom? !pause worker-1, !pause @worker or !pause @all'],
  ],
  run: (context, { selector }) => tell(context, 'pause', selector),
})

const resume = declare({
  ...common,
  role: 'member',
  name: 'resume',
  summary: 'agents that were paused go on',
  examples: [['!resume worker-002', 'awake again though not here: worker-002']],
  run: (context, { selector }) => tell(context, 'resume', selector),
})

export const stopCommands = [stop, pause, resume]
