import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { ChanopError } from '../../../core/error.ts'
import { dropSetting, storeSetting } from '../../../core/ledger/settings.ts'
import { type Origin } from '../../../core/settings.ts'
import { ago, escapeInline } from '../../../core/text.ts'
import { type AdminServices, declare } from '../services.ts'

const shown = (value: unknown): string => escapeInline(JSON.stringify(value) ?? 'null')

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
    const below = settings.all().filter(leaf => leaf.key.startsWith(`${key}.`))
    return listed(below.length > 0 ? below : [{ key, ...one }])
  },
})

/** What is typed is YAML, so that numbers, lists and null mean themselves; what is none is text. */
function valueOf(typed: string): unknown {
  try {
    return parse(typed)
  } catch (error) {
    if (error instanceof Error) return typed
    throw error
  }
}

/** What is valid as YAML; else as the text it is: `?` means something to YAML. */
function checkedValue(
  settings: Pick<AdminServices['context']['settings'], 'check'>,
  key: string,
  typed: string,
): unknown {
  try {
    return settings.check(key, valueOf(typed))
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
  role: 'owner',
  reply: 'public',
  mutates: true,
  args: z.object({ key: z.string(), value: z.string().min(1).meta({ rest: true }) }),
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
  async run({ services, caller, atMs }, { key, value }) {
    const { settings, bus } = services.context
    const checked = checkedValue(settings, key, value)
    const was = settings.get(key).value
    const by = caller.person?.name ?? caller.account
    return {
      lines: [`${key} = ${shown(checked)} (was ${shown(was)})`],
      effect: db => storeSetting(db, key, checked, by, atMs),
      committed: async () => {
        await settings.reload()
        bus.signal('settings', { by })
      },
    }
  },
})

const unset = declare({
  name: 'config unset',
  summary: 'drops what chat changed: the value of the file or the default holds again',
  role: 'owner',
  reply: 'public',
  mutates: true,
  args: z.object({ key: z.string() }),
  examples: [['!config unset commands.lines', 'commands.lines was not changed in chat; config diff lists what was']],
  async run({ services, caller }, { key }) {
    const { settings, bus } = services.context
    settings.get(key)
    return {
      lines: [],
      effect: db => {
        if (dropSetting(db, key) === 0) {
          throw new ChanopError('not-found', `${key} was not changed in chat; config diff lists what was`)
        }
        return [`${key} is as the file says again`]
      },
      committed: async () => {
        await settings.reload()
        bus.signal('settings', { by: caller.account })
      },
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
  args: z.object({}),
  examples: [['!config diff', 'nothing was changed in chat']],
  async run({ services, atMs }) {
    const changed = services.context.settings.diff()
    if (changed.length === 0) return 'nothing was changed in chat'
    return {
      lines: changed.map(
        ({ key, file, value, origin }) => `${key}: ${shown(file)} → ${shown(value)} (${from(origin, atMs)})`,
      ),
    }
  },
})

const exported = declare({
  name: 'config export',
  summary: 'writes the configuration in force as YAML to a file on the host',
  role: 'owner',
  reply: 'private',
  args: z.object({}),
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
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({}),
  examples: [['!config reload', 'the configuration is as the file says; nothing had to be left out']],
  async run({ services, caller }) {
    const { settings, bus } = services.context
    const { ignored } = await settings.reload()
    const left =
      ignored.length > 0 ? `left out of what chat changed: ${ignored.join(', ')}` : 'nothing had to be left out'
    return {
      lines: [`the configuration is as the file says; ${left}`],
      committed: () => bus.signal('settings', { by: caller.account }),
    }
  },
})

export const configCommands = [get, set, unset, find, diff, exported, reload]
