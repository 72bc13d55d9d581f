/** The kill switch: `stop`, `pause`, `resume` reach agents by a mention with the word, and count who obeyed. */
import { z } from 'zod'
import type { Answer, CommandContext } from '../../../core/command/command.ts'
import { rest } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { setPaused } from '../../../core/ledger/agents.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { includes } from '../../../core/role.ts'
import { meantBy } from '../fleet/addressed.ts'
import { type CallKind, openCall, placesOf } from '../fleet/call.ts'
import { some } from '../fleet/naming.ts'
import { choose, type Here, nameOf, present, publicPlaces, type Target } from '../fleet/targets.ts'
import { type AdminServices, declare } from '../services.ts'
import { nobodyFits } from './fleet.ts'

type Context = CommandContext<AdminServices>
type Word = Exclude<CallKind, 'mention'>

interface Meant {
  readonly targets: readonly Target[]
  readonly here: readonly Here[]
  /** The oracle is meant as well, or alone. */
  readonly oracle: boolean
}

const oracleName = /^@?oracle$/
const allNames = /^@?\*$|^@all$/

function meant(db: Tx, { event, services, atMs }: Context, selector: string | undefined): Meant {
  const parts = (selector ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(part => part !== '')
  const others = parts.filter(part => !oracleName.test(part))
  const asked = selector === undefined ? meantBy(db, event).map(nameOf) : others
  const { targets, nobody } = asked.length === 0 ? { targets: [], nobody: [] } : choose(db, asked.join(','), atMs)
  if (selector !== undefined && nobody.length > 0) throw nobodyFits(nobody)
  const agents = targets.filter(({ agent }) => agent !== null)
  const oracle = others.length < parts.length || parts.some(part => allNames.test(part))
  const places = [...placesOf(services.fleet.rooms, event), ...publicPlaces(db)]
  return {
    targets: agents,
    here: present(db, agents, places),
    oracle: oracle || (parts.length === 0 && agents.length === 0),
  }
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

async function tell(context: Context, word: Word, selector: string | undefined): Promise<Answer | string> {
  const { caller, ledger, services, event, atMs } = context
  const { fleet } = services
  const { bus, settings } = services.context
  const plural =
    selector !== undefined &&
    selector
      .toLowerCase()
      .split(/[\s,]+/)
      .some(part => allNames.test(part))
  if (plural && !includes(caller.globalRole, 'operator')) {
    throw new ChanopError('denied', `${word} @all needs operator; you are ${caller.globalRole}`)
  }
  const found = await ledger.read(db => meant(db, context, selector))
  const cancel = (): void => {
    if (found.oracle && word === 'stop') bus.signal('cancel', { turn: null, reason: `${caller.name} said stop` })
  }
  if (found.targets.length === 0) {
    if (!found.oracle || word !== 'stop') return `${word} whom? ${word} worker-1, ${word} @worker or ${word} @all`
    const line =
      selector === undefined ? 'you spoke to no agent here: the oracle is told to stop' : 'the oracle is told to stop'
    return { lines: [line], committed: cancel }
  }
  const untilMs = atMs + settings.current.fleet.stopSeconds * 1000
  return {
    lines: lines(word, found),
    effect: db => {
      keepPaused(db, word, found.targets)
      const { here } = found
      const call = { stored: event, kind: word, selector: selector ?? '', words: '', here, untilMs }
      if (here.length > 0) openCall(db, 'admin', fleet.rooms, call, atMs)
    },
    committed: cancel,
  }
}

const whom = z.object({
  selector: rest()
    .max(2000)
    .optional()
    .describe('worker-1, @all, @worker; without: the agent replied to or spoken to last'),
})
const common = { role: 'member', reply: 'public', mutates: true, urgent: true, args: whom } as const

const stop = declare({
  ...common,
  name: 'stop',
  summary: 'tells agents to stop what they do, and counts who obeyed',
  examples: [
    ['!stop worker-001', 'worker-001: stop'],
    ['!stop @worker', 'worker-001: stop\nnot here: worker-002'],
    ['!stop', 'you spoke to no agent here: the oracle is told to stop'],
  ],
  run: (context, { selector }) => tell(context, 'stop', selector),
})

const pause = declare({
  ...common,
  name: 'pause',
  summary: 'agents do nothing until they are resumed, and no mention of a group wakes them',
  examples: [
    ['!pause worker-001', 'worker-001: pause'],
    ['!pause', 'pause whom? pause worker-1, pause @worker or pause @all'],
  ],
  run: (context, { selector }) => tell(context, 'pause', selector),
})

const resume = declare({
  ...common,
  name: 'resume',
  summary: 'agents that were paused go on',
  examples: [['!resume worker-002', 'awake again though not here: worker-002']],
  run: (context, { selector }) => tell(context, 'resume', selector),
})

export const stopCommands = [stop, pause, resume]
