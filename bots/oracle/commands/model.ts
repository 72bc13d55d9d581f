import { z } from 'zod'
import type { Config } from '../../../config/schema.ts'
import { type Command, changes } from '../../../core/command/command.ts'
import { named, rest } from '../../../core/command/parse/values.ts'
import { soonOrLater } from '../../../core/command/visit/later.ts'
import { typedValue } from '../../../core/config/yaml.ts'
import { ChanopError } from '../../../core/error.ts'
import { type Changes, changing } from '../../../core/settings/settings-changing.ts'
import { removed } from '../../../core/settings/settings-merge.ts'
import { nearest } from '../../../core/text/nearest.ts'
import { count, duration, escapeInline } from '../../../core/text/text.ts'
import { type Candidate, candidateOf, isLocal } from '../models/choice.ts'
import { tasks } from '../models/contract.ts'
import { tryOut } from '../models/service/trial.ts'
import { callerBooks } from './caller.ts'
import { add, key, priceOf, trialLine } from './model-add.ts'
import { modelNamed } from './model-names.ts'
import { type Context, declare, type OracleServices } from './services.ts'

const priceShown = (candidate: Candidate): string => {
  const { input, output } = candidate.price
  return isLocal(candidate) ? 'runs here, free' : input + output === 0 ? 'free' : `$${input}/$${output} a million`
}

/** `mini · openai gpt-4.1-mini · first · $0.4/$1.6 a million · context 8,192`. */
function lineOf({ services }: Context, name: string): string {
  const { current } = services.context.settings
  const candidate = candidateOf(name, current.models[name] as Config['models'][string])
  const { config } = candidate
  const rest = services.configured.health.restOf(candidate.route, Date.now())
  const state = !config.on
    ? 'off'
    : rest
      ? `rests ${duration(rest.untilMs - Date.now())}: it ${escapeInline(rest.reason)}`
      : 'on'
  const share = config.weight === 100 ? '' : ` weight ${config.weight}`
  return [
    `${name} ${state}`,
    `${config.provider} ${escapeInline(config.model)}`,
    `priority ${config.priority}${share}`,
    priceShown(candidate),
    `context ${count(config.contextTokens)}, answers up to ${count(config.maxOutputTokens)} tokens`,
  ].join(' · ')
}

function useLines({ modelsFor }: Config): string[] {
  const tasksSet = tasks
    .filter(task => modelsFor.tasks[task] !== null)
    .map(task => `${task}: ${modelsFor.tasks[task]?.join(', ')}`)
  const rooms = Object.entries(modelsFor.rooms).map(([room, names]) => `${escapeInline(room)}: ${names.join(', ')}`)
  return [...tasksSet, ...rooms]
}

const list = declare({
  name: 'model list',
  aliases: ['models'],
  summary: 'the models that answer, in which order, what they cost and how they are',
  role: 'member',
  reply: 'public',
  examples: [['!model list', 'no model is configured; !model add, in a DM to oracle, guides']],
  async run(context) {
    const { current } = context.services.context.settings
    const names = Object.keys(current.models)
    if (names.length === 0)
      return `no model is configured; ${context.settings.prefix}model add, in a DM to oracle, guides`
    const order = names.sort(
      (a, b) => (current.models[a]?.priority ?? 0) - (current.models[b]?.priority ?? 0) || (a < b ? -1 : 1),
    )
    return { lines: [...order.map(name => lineOf(context, name)), ...useLines(current)] }
  },
})

/** What people type as a value, and for a price `0.4/1.6`. */
const valueOf = (setting: string, typed: string): unknown =>
  setting === 'price' && typed.includes('/') ? priceOf(typed) : typedValue(typed)

/** Throws `not-found` with the nearest: a name in a map may hold dots, so that the settings would take it for one. */
function settingNamed({ config }: Candidate, typed: string): void {
  const known = Object.keys(config)
  if (known.includes(typed.split('.')[0] ?? '')) return
  const near = nearest(typed, known)
  throw new ChanopError(
    'not-found',
    `a model has no ${typed}; ${near ? `did you mean ${near}?` : `it has ${known.join(', ')}`}`,
  )
}

const set = declare({
  name: 'model set',
  summary: 'changes one thing of a model, e.g. priority, weight, price, maxOutputTokens, contextTokens, apiKey',
  ...changes('owner'),
  args: z.object({ name: z.string(), setting: z.string(), value: rest() }),
  examples: [['!model set mini priority 2', 'no model mini; !model list shows them']],
  async run(context, { name, setting, value }) {
    const { settings } = context.services.context
    settingNamed(modelNamed(settings.current, name), setting)
    const path = `models.${name}.${setting}`
    const checked = settings.check(path, valueOf(setting, value))
    return {
      lines: [`${name}: ${escapeInline(setting)} = ${escapeInline(JSON.stringify(checked))}`],
      ...changing(context, { [path]: checked }),
    }
  },
})

const test = declare({
  name: 'model test',
  summary: 'asks one model for a short answer, and says how long it took and what it cost',
  ...changes('operator'),
  args: z.object({ name: z.string() }),
  examples: [['!model test mini', 'no model mini; !model list shows them']],
  async run(context, { name }) {
    const candidate = modelNamed(context.services.context.settings.current, name)
    return soonOrLater({ bot: context.services.context, context, reply: 'public' }, name, async signal => {
      const trial = await tryOut(context.services.configured, candidate, await callerBooks(context), signal)
      return { lines: [trialLine(name, trial)] }
    })
  },
})

const switching = (word: 'on' | 'off'): Command<OracleServices> =>
  declare({
    name: `model ${word}`,
    summary: word === 'on' ? 'lets a model be asked again' : 'a model is not asked any more; it stays configured',
    ...changes('owner'),
    args: z.object({ name: z.string() }),
    examples: [[`!model ${word} mini`, 'no model mini; !model list shows them']],
    async run(context, { name }) {
      const { settings } = context.services.context
      const { config } = modelNamed(settings.current, name)
      if (config.on === (word === 'on')) return `${name} is ${word} already`
      const others = Object.entries(settings.current.models).filter(([other, { on }]) => other !== name && on)
      const last = word === 'off' && others.length === 0 ? '; now none is on, and I can not answer' : ''
      return {
        lines: [`${name} is ${word}${last}`],
        ...changing(context, { [`models.${name}.on`]: word === 'on' }),
      }
    },
  })

/** What else names a model: it goes with it. */
function mentions({ modelsFor }: Config, name: string): Changes {
  const without = (names: readonly string[]): string[] => names.filter(other => other !== name)
  const ofTasks = tasks
    .map(task => ({ key: `modelsFor.tasks.${task}`, names: modelsFor.tasks[task] ?? [], none: null }))
    .filter(({ names }) => names.includes(name))
  const ofRooms = Object.entries(modelsFor.rooms)
    .map(([room, names]) => ({ key: `modelsFor.rooms.${room}`, names, none: removed }))
    .filter(({ names }) => names.includes(name))
  return Object.fromEntries(
    [...ofTasks, ...ofRooms].map(({ key, names, none }) => [key, names.length > 1 ? without(names) : none]),
  )
}

const del = declare({
  name: 'model del',
  summary: 'takes a model out of the configuration',
  ...changes('owner'),
  args: z.object({ name: z.string() }),
  examples: [['!model del mini', 'no model mini; !model list shows them']],
  confirm: async ({ name }, { services }) => {
    modelNamed(services.context.settings.current, name)
    return `deletes the model ${name}: what was spent stays on record`
  },
  async run(context, { name }) {
    const { current } = context.services.context.settings
    modelNamed(current, name)
    return {
      lines: [`${name} is deleted`],
      ...changing(context, { ...mentions(current, name), [`models.${name}`]: removed }),
    }
  },
})

const use = declare({
  name: 'model use',
  summary: 'which models answer in a room, or do a kind of work; all: every one that is on',
  ...changes('owner'),
  args: z.object({
    names: z.string().describe('one or more, with commas; all'),
    room: named(z.string().max(200), 'without: the room where it is asked'),
    task: named(z.enum(tasks)),
  }),
  examples: [
    ['!model use mini', 'no model mini; !model list shows them'],
    ['!model use all task=summary', 'summary: every model that is on'],
    ['!model use all room=ops', 'ops: every model that is on'],
  ],
  async run(context, { names, room, task }) {
    const { settings } = context.services.context
    if (task !== undefined && room !== undefined)
      throw new ChanopError('usage', 'a room or a task, not both: rooms are for answers')
    if (task === undefined && room === undefined && context.caller.private) {
      throw new ChanopError(
        'usage',
        `for which room? ${context.settings.prefix}model use ${names} room=general, or task=summary`,
      )
    }
    const where = room ?? context.caller.room
    const chosen = names === 'all' ? null : [...new Set(names.split(',').filter(Boolean))]
    for (const name of chosen ?? []) modelNamed(settings.current, name)
    const path = task === undefined ? `modelsFor.rooms.${where}` : `modelsFor.tasks.${task}`
    const value = chosen ?? (task === undefined ? removed : null)
    if (chosen) settings.check(path, value)
    return {
      lines: [`${escapeInline(task ?? where)}: ${chosen?.join(', ') ?? 'every model that is on'}`],
      ...changing(context, { [path]: value }),
    }
  },
})

export const modelCommands = [list, add, key, set, test, switching('on'), switching('off'), del, use]
