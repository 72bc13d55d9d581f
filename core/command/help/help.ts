import { z } from 'zod'
import type { Role } from '../../access/role.ts'
import { nearest } from '../../text/nearest.ts'
import { escapeInline } from '../../text/text.ts'
import { type Answer, anybody, type Caller, type Command, commandsOf } from '../command.ts'
import type { Field } from '../parse/fields.ts'
import { refusal } from '../visit/gate.ts'
import { type Published, readPublished } from './published.ts'
import { basics, synonyms, topics } from './topics.ts'

/** Lines at once; `more` has the rest. */
const atOnce = 10

const nounOf = ({ name }: Published): string => name.split(' ')[0] as string

/** `+3 more for operators, +1 for owners`: what is there and not for this caller. */
export function hidden(all: readonly Published[], caller: Caller): string {
  const count = (role: Role): number => all.filter(one => one.role === role && refusal(one, caller) !== null).length
  const parts = (['member', 'operator', 'owner'] as const)
    .map(role => [count(role), `${role}s`] as const)
    .filter(([many]) => many > 0)
    .map(([many, who], at) => `+${many}${at === 0 ? ' more' : ''} for ${who}`)
  return parts.join(', ')
}

const nounsOf = (commands: readonly Published[]): string[] => [...new Set(commands.map(nounOf))]

/** The commands of a topic, in its order; `more` holds what belongs to none. */
function ofTopic(all: readonly Published[], topic: string): Published[] {
  const rest = (): string[] => nounsOf(all).filter(noun => !basics.includes(noun) && !placed.has(noun))
  const known = Object.hasOwn(topics, topic) ? topics[topic] : undefined
  const wanted = known ?? (topic === 'more' ? rest().sort() : [])
  return wanted.flatMap(word => all.filter(one => one.name === word || (nounOf(one) === word && !placed.has(one.name))))
}

const placed: ReadonlySet<string> = new Set(Object.values(topics).flat())
const perTopic = 8

/** By task, one line each, of what this caller may do. */
function overview(all: readonly Published[], caller: Caller, prefix: string): string[] {
  const mine = all.filter(one => refusal(one, caller) === null)
  const lines = [...Object.keys(topics), 'more'].flatMap(topic => {
    const nouns = nounsOf(ofTopic(mine, topic))
    if (nouns.length === 0) return []
    const cut = nouns.length > perTopic ? ' …' : ''
    return [`*${topic}*: ${escapeInline(nouns.slice(0, perTopic).join(' '))}${cut}`]
  })
  const ways = [`${prefix}help look says more`, `${prefix}find backup looks for words`, hidden(all, caller)]
  return [...lines, ways.filter(Boolean).join(' · ')]
}

const brief = ({ usage, summary }: Published): string => escapeInline(`${usage}: ${summary}`)

function listed(commands: readonly Published[], caller: Caller): string[] {
  const mine = commands.filter(one => refusal(one, caller) === null)
  const others = hidden(commands, caller)
  return others ? [...mine.map(brief), others] : mine.map(brief)
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

/** The lines of `help …`: what this caller may do, by task; of one topic, family, bot or command in full. */
export function helpLines(all: readonly Published[], caller: Caller, words: string, prefix: string): string[] {
  const typed = words.trim().toLowerCase().replace(/\s+/g, ' ')
  const wanted = typed.startsWith(prefix) ? typed.slice(prefix.length) : typed
  if (wanted === '') return overview(all, caller, prefix)
  if (wanted === 'slash') return slash(prefix)
  const topic = ofTopic(all, wanted)
  if (topic.length > 0) return listed(topic, caller)
  const family = all.filter(one => nounOf(one) === wanted)
  const exact = all.find(one => one.name === wanted || one.aliases.includes(wanted))
  if (exact && family.length <= 1) {
    const denied = refusal(exact, caller)
    return denied ? [denied] : detail(exact, prefix)
  }
  const group = family.length > 0 ? family : all.filter(one => one.bot === wanted)
  if (group.length > 0) return listed(group, caller)
  const names = all.flatMap(one => [one.name, nounOf(one), ...one.aliases])
  const near = nearest(wanted, names) ?? nearest(wanted.split(' ')[0] as string, names)
  const hint = near ? `did you mean ${prefix}help ${near}?` : `${prefix}find looks for words`
  return [`no command ${escapeInline(wanted.slice(0, 40))}; ${hint}`]
}

/** How well a command fits one word: by name, by what is said of it, by a word that means the same; 0: not. */
function fit(one: Published, word: string): number {
  const names = [one.name, ...one.aliases].join(' ').toLowerCase()
  const text = [names, one.summary, ...one.fields.map(field => field.key)].join(' ').toLowerCase()
  const begins = (held: string, begun: string): boolean =>
    ` ${held.replace(/[^\p{L}\p{N}]+/gu, ' ')}`.includes(` ${begun}`)
  const [typed = '', ...others] = synonyms(word)
  if (begins(names, typed)) return 4
  if (others.some(other => begins(names, other))) return 3
  if (begins(text, typed)) return 2
  return (typed.length > 2 && text.includes(typed)) || others.some(other => other.length > 3 && begins(text, other))
    ? 1
    : 0
}

/** Commands of this caller that fit all words, or words that mean the same; the best first. */
export function findLines(all: readonly Published[], caller: Caller, words: string, prefix: string): string[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  const found = all
    .map(one => ({ one, fits: wanted.map(word => fit(one, word)) }))
    .filter(({ fits }) => fits.every(each => each > 0))
    .map(({ one, fits }) => ({ one, sum: fits.reduce((sum, each) => sum + each, 0) }))
    .toSorted((a, b) => b.sum - a.sum)
  const lines = listed(
    found.map(({ one }) => one),
    caller,
  )
  return lines.length > 0
    ? lines
    : [`no command speaks of ${escapeInline(words.slice(0, 40))}; ${prefix}help lists all`]
}

const paged = (lines: readonly string[], usual: number): Answer => ({
  lines,
  page: { from: 0, size: Math.max(atOnce, usual) },
})

/** `help` and `find`, of the bot that answers for all. */
export function helpCommands<S>(bot: string): Command<S>[] {
  const command = commandsOf<S>(bot)
  const words = z.string().max(80).meta({ rest: true })
  return [
    command({
      name: 'help',
      summary: 'what you can say here',
      ...anybody,
      reply: 'public',
      args: z.object({
        about: words.optional().describe('a task such as agents, a command, its first word, a bot, or slash'),
      }),
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
      run: async ({ ledger, caller, settings }, { about }) =>
        paged(helpLines(await ledger.read(readPublished), caller, about ?? '', settings.prefix), settings.lines),
    }),
    command({
      name: 'find',
      aliases: ['apropos'],
      summary: 'finds commands by words',
      ...anybody,
      reply: 'public',
      args: z.object({ words: words.describe('words of their name or summary') }),
      examples: [['!find by words', 'find <words…>: finds commands by words']],
      run: async ({ ledger, caller, settings }, { words }) =>
        paged(findLines(await ledger.read(readPublished), caller, words, settings.prefix), settings.lines),
    }),
  ]
}
