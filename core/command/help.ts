import { z } from 'zod'
import { nearest } from '../nearest.ts'
import type { Role } from '../role.ts'
import { escapeInline } from '../text.ts'
import { type Caller, type Command, commandsOf } from './command.ts'
import { refusal } from './gate.ts'
import type { Field } from './parse/fields.ts'
import { type Published, readPublished } from './published.ts'

const perLevel = 15

const nounOf = ({ name }: Published): string => name.split(' ')[0] as string

/** `+3 more for operators, +1 for owners`: what is there and not for this caller. */
function hidden(all: readonly Published[], caller: Caller): string {
  const count = (role: Role): number => all.filter(one => one.role === role && refusal(one, caller) !== null).length
  const parts = (['member', 'operator', 'owner'] as const)
    .map(role => [count(role), `${role}s`] as const)
    .filter(([many]) => many > 0)
    .map(([many, who], at) => `+${many}${at === 0 ? ' more' : ''} for ${who}`)
  return parts.join(', ')
}

/** One item a noun: `role: grant list revoke`. */
function nounItem(noun: string, family: readonly Published[]): string {
  const verbs = family.map(({ name }) => name.slice(noun.length + 1)).filter(Boolean)
  return verbs.length === 0 ? noun : `${noun} ${verbs.join('|')}`
}

function overview(all: readonly Published[], caller: Caller, page: number, prefix: string): string[] {
  const mine = all.filter(one => refusal(one, caller) === null)
  const nouns = [...new Set(mine.map(nounOf))].sort()
  const shown = nouns.slice((page - 1) * perLevel, page * perLevel)
  if (shown.length === 0) return [`there is no page ${page}; ${prefix}help begins`]
  const items = shown.map(noun =>
    nounItem(
      noun,
      mine.filter(one => nounOf(one) === noun),
    ),
  )
  const left = nouns.length - page * perLevel
  const next = left > 0 ? `${left} more: ${prefix}help ${page + 1}` : ''
  const tail = [`${prefix}help ${shown[0]} says more`, next, hidden(all, caller)].filter(Boolean).join(' · ')
  return [escapeInline(items.join(' · ')), tail]
}

const brief = ({ usage, summary }: Published): string => escapeInline(`${usage}: ${summary}`)

function listed(commands: readonly Published[], caller: Caller, prefix: string): string[] {
  const mine = commands.filter(one => refusal(one, caller) === null)
  const shown = mine.slice(0, perLevel).map(brief)
  const cut = mine.length > perLevel ? `${mine.length - perLevel} more: ${prefix}find narrows it down` : ''
  const tail = [cut, hidden(commands, caller)].filter(Boolean).join(' · ')
  return tail ? [...shown, tail] : shown
}

/** `n: how many (3)`, or nothing when there is nothing to say of it. */
function fieldLine({ key, about, values, default: usual }: Field): string | null {
  const said = [about, values && values.length > 5 ? values.join(', ') : undefined].filter(Boolean).join('; ')
  if (!said && usual === undefined) return null
  return escapeInline(`${key}: ${[said, usual === undefined ? '' : `default ${usual}`].filter(Boolean).join('; ')}`)
}

function detail(command: Published, prefix: string): string[] {
  const notes = [
    command.role === 'guest' ? 'for everybody' : `needs ${command.role}`,
    command.where === 'dm' ? `direct message to ${command.bot} only` : '',
    command.confirms ? 'may ask to confirm' : '',
    command.reply === 'private' ? 'answers in private' : '',
    command.aliases.length > 0 ? `also ${command.aliases.join(', ')}` : '',
  ]
  const fields = command.fields.map(fieldLine).filter(line => line !== null)
  return [
    escapeInline(`${command.where === 'dm' ? '' : prefix}${command.usage}`),
    escapeInline(`${command.summary} · ${notes.filter(Boolean).join(' · ')}`),
    ...(fields.length > 0 ? [fields.join(' · ')] : []),
    `e.g. ${escapeInline(command.examples.slice(0, 2).join(' · '))}`,
  ]
}

const slash = (prefix: string): string[] => [
  `say ${prefix}status; /status counts too where your client lets it through, and so do "admin: status" and a direct message`,
  'irssi: /alias status say !status · WeeChat: /alias add status /msg $channel !status',
  'some clients (WeeChat, The Lounge) send //status as /status; platforms with / commands of their own keep it for themselves',
]

/** The lines of `help …`: what this caller may do, at most 15 items a level. */
export function helpLines(all: readonly Published[], caller: Caller, words: string, prefix: string): string[] {
  const wanted = words.trim().toLowerCase().replace(/\s+/g, ' ').replace(prefix, '')
  if (wanted === '' || /^\d{1,3}$/.test(wanted)) return overview(all, caller, Number(wanted || 1), prefix)
  if (wanted === 'slash') return slash(prefix)
  const family = all.filter(one => nounOf(one) === wanted)
  const exact = all.find(one => one.name === wanted || one.aliases.includes(wanted))
  if (exact && family.length <= 1) {
    const denied = refusal(exact, caller)
    return denied ? [denied] : detail(exact, prefix)
  }
  const group = family.length > 0 ? family : all.filter(one => one.bot === wanted)
  if (group.length > 0) return listed(group, caller, prefix)
  const names = all.flatMap(one => [one.name, nounOf(one), ...one.aliases])
  const near = nearest(wanted, names) ?? nearest(wanted.split(' ')[0] as string, names)
  const hint = near ? `did you mean ${prefix}help ${near}?` : `${prefix}find looks for words`
  return [`no command ${escapeInline(wanted.slice(0, 40))}; ${hint}`]
}

/** Commands of this caller whose name or summary holds a word. */
export function findLines(all: readonly Published[], caller: Caller, words: string, prefix: string): string[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  const found = all.filter(one => {
    const text = [one.name, ...one.aliases, one.summary, ...one.fields.map(field => field.key)].join(' ').toLowerCase()
    return wanted.every(word => text.includes(word))
  })
  const lines = found.length > 0 ? listed(found, caller, prefix) : []
  return lines.length > 0
    ? lines
    : [`no command speaks of ${escapeInline(words.slice(0, 40))}; ${prefix}help lists all`]
}

/** `help` and `find`, of the bot that answers for all. */
export function helpCommands<S>(bot: string): Command<S>[] {
  const command = commandsOf<S>(bot)
  const words = z.string().max(80).meta({ rest: true })
  return [
    command({
      name: 'help',
      summary: 'what you can say here',
      agents: true,
      role: 'guest',
      reply: 'public',
      args: z.object({ about: words.optional().describe('a command, its first word, a bot, or slash') }),
      examples: [
        [
          '!help find',
          /^!find <words…>\n/,
          '!find <words…>\nfinds commands by words · for everybody · also apropos\nwords: words of their name or summary\ne.g. !find by words',
        ],
        [
          '!help slash',
          /^say !status/,
          'say !status; /status counts too where your client lets it through, and so do "admin: status" and a direct message',
        ],
      ],
      run: async ({ ledger, caller, settings }, { about }) => ({
        lines: helpLines(await ledger.read(readPublished), caller, about ?? '', settings.prefix),
      }),
    }),
    command({
      name: 'find',
      aliases: ['apropos'],
      summary: 'finds commands by words',
      agents: true,
      role: 'guest',
      reply: 'public',
      args: z.object({ words: words.describe('words of their name or summary') }),
      examples: [['!find by words', 'find <words…>: finds commands by words']],
      run: async ({ ledger, caller, settings }, { words }) => ({
        lines: findLines(await ledger.read(readPublished), caller, words, settings.prefix),
      }),
    }),
  ]
}
