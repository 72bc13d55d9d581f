import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Config } from '../../../config/schema.ts'
import { changedForStart, waitsForStart } from '../../../config/start-keys.ts'
import { changes } from '../../../core/command/command.ts'
import { rest } from '../../../core/command/parse/values.ts'
import { typedValue } from '../../../core/config/yaml.ts'
import { ChanopError } from '../../../core/error.ts'
import { ownerAccounts } from '../../../core/ledger/people/roles.ts'
import { dropSetting } from '../../../core/ledger/settings/settings.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { alertRoomOf, Rooms } from '../../../core/rooms.ts'
import type { Beneath, Origin } from '../../../core/settings/settings.ts'
import { changed, changing } from '../../../core/settings/settings-changing.ts'
import { removed } from '../../../core/settings/settings-merge.ts'
import { ago, escapeInline, some } from '../../../core/text/text.ts'
import { written } from '../meant.ts'
import { type AdminServices, declare } from '../services.ts'

const shown = (value: unknown): string => escapeInline(JSON.stringify(value) ?? 'null')

/** A value of chat, or that it took something out. */
const changedTo = (value: unknown): string => (value === removed ? 'taken out' : shown(value))

const few = (keys: readonly string[]): string => escapeInline(some(keys, 8))

const atStart = 'the next npm start takes it over'

const from = (origin: Origin, nowMs: number): string =>
  origin.from === 'chat' ? `chat, ${origin.by} ${ago(origin.atMs, nowMs)}` : origin.from

interface Leaf {
  readonly key: string
  readonly value: unknown
  readonly origin: Origin
}

const line = (leaf: Leaf, nowMs: number): string => `${leaf.key} = ${shown(leaf.value)} (${from(leaf.origin, nowMs)})`

const get = declare({
  name: 'config get',
  aliases: ['config'],
  summary: 'one setting, or all below a key, and where each value comes from',
  role: 'operator',
  reply: 'private',
  args: z.object({ key: z.string().optional().describe('dotted; all without') }),
  examples: [['!config get commands.lines', 'commands.lines = 4 (default)']],
  async run({ services, atMs }, { key }) {
    const { settings } = services.context
    const listed = (data: readonly Leaf[]) => ({ lines: data.map(leaf => line(leaf, atMs)), data })
    if (key === undefined) return listed(settings.all())
    const one = settings.get(key)
    const isAt = settings.covers(key)
    const below = settings.all().filter(leaf => isAt(leaf.key))
    return listed(below.length > 0 ? below : [{ key, ...one }])
  },
})

/** What is valid as YAML; else as the text it is: `?` means something to YAML. */
function checkedValue(
  settings: Pick<AdminServices['context']['settings'], 'check'>,
  key: string,
  typed: string,
): unknown {
  try {
    return settings.check(key, typedValue(typed))
  } catch (error) {
    try {
      return settings.check(key, typed)
    } catch {
      // The first reason is the better one.
      throw error
    }
  }
}

const set = declare({
  name: 'config set',
  summary: 'changes a setting in all bots at once; it wins over the file',
  ...changes('owner'),
  args: z.object({ key: z.string(), value: rest() }),
  examples: [
    ['!config set commands.lines 6', 'commands.lines = 6 (was 4)'],
    [
      '!config set commands.lnes 6',
      /^no key 'commands\.lnes'; did you mean 'commands\.lines'\?/,
      "no key 'commands.lnes'; did you mean 'commands.lines'?",
    ],
  ],
  confirm: ({ key, value }, { services: { context } }) => {
    if (key !== 'commands.prefix') return null
    const prefix = checkedValue(context.settings, key, value) as string
    return `commands begin with ${escapeInline(prefix)} everywhere then; ${escapeInline(prefix)}config unset commands.prefix takes it back`
  },
  async run(context, { key, value }) {
    const { settings } = context.services.context
    const checked = checkedValue(settings, key, value)
    const was = settings.peek(key)
    const note = noteOf(settings, key, settings.preview(key, checked), context.settings.prefix)
    const change = changing(context, { [key]: checked })
    return {
      lines: [`${key} = ${shown(checked)} (${was === undefined ? 'it was not there' : `was ${shown(was)}`})${note}`],
      ...change,
      effect: tx => {
        const { ignore } = settings.in(tx)
        change.effect(tx)
        if (settings.covers('ignore')(key)) hearOwners(tx, settings.in(tx).ignore, ignore)
      },
    }
  },
})

/** What has to be known of a value besides, as the end of a line. */
function noteOf(settings: AdminServices['context']['settings'], key: string, next: Config, prefix: string): string {
  if (waitsForStart(settings.current, key)) return `; ${atStart}`
  if (key === 'owner') return `; it is for a first start: ${prefix}role grant makes owners`
  const unheard = next.fleet.alertRoom !== null && alertRoomOf(new Rooms(next.rooms), next) === null
  return settings.covers(key)('fleet.alertRoom') && unheard
    ? '; there is no such room yet: until then nobody hears'
    : ''
}

/** Who ignores an owner, whom they heard `before`, may have nobody left who can undo it. Throws `denied`. */
function hearOwners(tx: Tx, ignore: Config['ignore'], before: Config['ignore']): void {
  const silenced = ownerAccounts(tx)
    .map(written)
    .find(account => ignore[account] !== undefined && before[account] === undefined)
  if (silenced !== undefined)
    throw new ChanopError('denied', `${silenced} is owner and is not ignored: !role revoke comes first`)
}

const unset = declare({
  name: 'config unset',
  summary: 'drops what chat changed: the value of the file or the default holds again',
  ...changes('owner'),
  args: z.object({ key: z.string() }),
  examples: [['!config unset commands.lines', 'commands.lines was not changed in chat; !config diff lists what was']],
  async run(context, { key }) {
    const { settings } = context.services.context
    const { value, from: origin } = settings.without(key)
    const note = waitsForStart(settings.current, key) ? `; ${atStart}` : ''
    const now = value === undefined ? `${key} is gone: only chat had it` : `${key} = ${shown(value)} again (${origin})`
    return {
      lines: [`${now}${note}`],
      effect: db => {
        if (dropSetting(db, key, settings.covers(key)) === 0)
          throw new ChanopError('conflict', `${key} was unset by somebody else just now`)
      },
      committed: changed(context),
    }
  },
})

const find = declare({
  name: 'config find',
  summary: 'settings whose name or value holds a word',
  role: 'operator',
  reply: 'private',
  args: z.object({ word: z.string() }),
  examples: [['!config find confirm', 'commands.confirmSeconds = 60 (default)']],
  async run({ services, atMs }, { word }) {
    const found = services.context.settings.find(word)
    return {
      lines:
        found.length > 0
          ? found.map(leaf => line(leaf, atMs))
          : [`no setting holds ${escapeInline(word.slice(0, 60))}`],
    }
  },
})

const diff = declare({
  name: 'config diff',
  summary: 'what chat changed over the file',
  role: 'operator',
  reply: 'private',
  examples: [['!config diff', 'nothing was changed in chat']],
  async run({ services, atMs }) {
    const { settings } = services.context
    const changed = settings.diff()
    const lost = settings.ignored.map(key => `${key}: set in chat, does not fit any more and has no effect`)
    if (changed.length + lost.length === 0) return 'nothing was changed in chat'
    const before = ({ value, from: origin }: Beneath): string =>
      value === undefined ? 'not there' : `${shown(value)} (${origin})`
    return {
      lines: [
        ...changed.map(
          ({ key, beneath, value, origin }) =>
            `${key}: ${before(beneath)} → ${changedTo(value)} (${from(origin, atMs)})`,
        ),
        ...lost,
      ],
    }
  },
})

const exported = declare({
  name: 'config export',
  summary: 'writes the configuration in force as YAML to a file on the host',
  role: 'owner',
  reply: 'private',
  examples: [
    ['!config export', /^written to .*chanop-config\.yaml$/, 'written to /home/you/chanop/data/chanop-config.yaml'],
  ],
  async run({ services }) {
    const file = join(services.context.dataDir, 'chanop-config.yaml')
    await writeFile(file, services.context.settings.export(), { mode: 0o600 })
    return `written to ${escapeInline(file)}`
  },
})

const reload = declare({
  name: 'config reload',
  summary: 'reads the configuration file again, in all bots',
  ...changes('operator'),
  examples: [['!config reload', 'the file holds; nothing is changed in chat']],
  async run({ services, caller, settings: { prefix } }) {
    const { settings, bus } = services.context
    const { ignored } = await settings.reload()
    const over = settings.diff().map(({ key }) => key)
    const waiting = changedForStart(settings.opened, settings.current)
    const lines = [
      over.length === 0
        ? 'the file holds; nothing is changed in chat'
        : `the file holds, but for what chat changed: ${few(over)} (${prefix}config diff)`,
      ...(ignored.length > 0 ? [`left out of what chat changed, for it fits no more: ${few(ignored)}`] : []),
      ...(waiting.length > 0 ? [`${few(waiting)}: ${atStart}`] : []),
    ]
    return { lines, committed: () => bus.signal('settings', { by: caller.account }) }
  },
})

export const configCommands = [get, set, unset, find, diff, exported, reload]
