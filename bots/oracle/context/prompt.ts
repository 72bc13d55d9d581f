import type { Config } from '../../../config/schema.ts'
import { ChanopError } from '../../../core/error.ts'
import type { MessageEvent } from '../../../core/event.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { countedTokens, keepCount, moveStart } from '../../../core/ledger/oracle/prompts.ts'
import type { Turn } from '../../../core/ledger/oracle/turns.ts'
import type { Stored } from '../../../core/ledger/record/events.ts'
import type { MediaStore } from '../../../core/media/store.ts'
import { Recent } from '../../../core/recent.ts'
import { count, safeName } from '../../../core/text/text.ts'
import type { ModelContent, ModelLimits, ModelMessage, ModelRequest, Models } from '../models/contract.ts'
import { shownPictures } from './images.ts'
import type { ContextLine } from './lines.ts'
import type { Mind } from './mind.ts'
import { keyOf, type Seen, seenFor } from './seen.ts'
import { rules, tail } from './words.ts'

export interface PromptTools {
  readonly ledger: Ledger
  readonly models: Models
  readonly mind: Mind
  readonly store: MediaStore
  readonly config: () => Config
}

/** A piece of a prompt, and how long it is. */
export interface Part {
  readonly name: 'mind' | 'rules' | 'summary' | 'lines' | 'elsewhere' | 'now and question'
  readonly tokens: number
  readonly lines: number
}

export interface Prompt {
  readonly request: ModelRequest
  readonly limits: ModelLimits
  readonly parts: readonly Part[]
  /** The most tokens it may have. */
  readonly budget: number
  /** Lines of this room that were said before the first that is given. */
  readonly before: number
  /** Facts of the lines that are given. */
  readonly seqs: readonly number[]
}

/**
 * Makes the prompt for turns that are answered together, or, without, for what a message would be given. In the order that
 * lets providers reuse what they have read already; the question is last.
 */
export async function promptFor(
  tools: PromptTools,
  turns: readonly Turn[],
  asked: Stored<MessageEvent>,
): Promise<Prompt> {
  const { ledger, models, config } = tools
  const limits = models.limits('answer', asked.room)
  if (!limits) throw new ChanopError('model-missing', 'no model is configured')
  const nowMs = Date.now()
  const current = config()
  const seen = await ledger.read(tx => seenFor(tx, asked, turns, current, nowMs))
  const pieces = await piecesOf(tools, seen, safeName(asked.event.sender.name), limits, nowMs)
  const most = Math.floor((limits.contextTokens - limits.maxOutputTokens) * 0.95)
  const budget = Math.min(current.oracle.promptTokens, most)
  mustFit(pieces.last.tokens, budget)
  const chosen = await chosenLines(tools, seen, limits, budget - fixedTokens(pieces))
  const start = chosen.lines[0]?.seq
  if (chosen.before > 0 && start !== undefined) await ledger.write(tx => moveStart(tx, keyOf(asked), start))
  const left = budget - fixedTokens(pieces) - chosen.tokens
  const elsewhere = await elsewhereIn(tools, seen.elsewhere, limits, Math.min(left, budget / elsewhereShare))
  const pictures = limits.images ? await shownPictures(tools.store, seen.pictures) : []
  return {
    request: {
      messages: messagesOf(pieces, elsewhere, chosen.lines, pictures),
      task: 'answer',
      room: asked.room,
      person: seen.person,
      previews: seen.previews,
      turn: turns[0]?.id ?? null,
    },
    limits,
    budget,
    before: chosen.before,
    seqs: chosen.lines.map(({ seq }) => seq),
    parts: [
      { name: 'mind', ...pieces.mind },
      { name: 'rules', ...pieces.rules },
      { name: 'summary', ...pieces.summary },
      { name: 'lines', tokens: chosen.tokens, lines: chosen.lines.length },
      { name: 'elsewhere', tokens: elsewhere.tokens, lines: elsewhere.lines },
      { name: 'now and question', ...pieces.last },
    ],
  }
}

/** A service would cut off what is too long for it, or be paid for more than is wished. */
function mustFit(tokens: number, budget: number): void {
  if (tokens <= budget) return
  const [long, room] = [tokens, budget].map(count) as [string, string]
  throw new ChanopError('usage', `this question is ${long} tokens long and I read ${room} at most: ask in fewer words`)
}

interface Piece {
  readonly text: string
  readonly tokens: number
  readonly lines: number
}

type Pieces = Readonly<Record<'mind' | 'rules' | 'summary' | 'last', Piece>>

/** What was said in other rooms is at most this part of a prompt. */
const elsewhereShare = 8

const fixedTokens = ({ mind, rules: fixed, summary, last }: Pieces): number =>
  mind.tokens + fixed.tokens + summary.tokens + last.tokens

/** What stands around the lines. */
async function piecesOf(
  { models, mind, config }: PromptTools,
  seen: Seen,
  name: string,
  limits: ModelLimits,
  atMs: number,
): Promise<Pieces> {
  const piece = async (text: string): Promise<Piece> => {
    const tokens = Math.ceil((await counted(models, text)) * limits.tokenFactor)
    return { text, tokens, lines: 0 }
  }
  const { start } = seen
  return {
    mind: await piece(await mind.text()),
    rules: await piece(rules),
    summary: await piece(start?.summary ? `What was said before, in short:\n${start.summary}` : ''),
    last: await piece(tail({ ...seen, name, atMs, timezone: timezoneOf(config()) })),
  }
}

/** Most of what stands around the lines is the same each time. */
const known = new Recent<string, number>(50)

async function counted(models: Models, text: string): Promise<number> {
  if (text === '') return 0
  const before = known.get(text)
  if (before !== undefined) return before
  const tokens = await models.countTokens(text)
  known.set(text, tokens)
  return tokens
}

/** What was said lately in other rooms, the newest lines that fit, room by room: the one where something was said last stands last. */
async function elsewhereIn(
  { ledger, models }: PromptTools,
  lines: readonly ContextLine[],
  limits: ModelLimits,
  room: number,
): Promise<Piece> {
  const counts = await countLines(ledger, models, lines, limits.tokenFactor)
  const headings = new Map<string, string[]>()
  let tokens = headingTokens
  let given = 0
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at] as ContextLine
    const more = (counts[at] ?? 0) + (headings.has(line.room) ? 0 : headingTokens)
    if (tokens + more > room) break
    tokens += more
    given++
    headings.set(line.room, [line.own ? `<oracle> ${line.text}` : line.text, ...(headings.get(line.room) ?? [])])
  }
  if (given === 0) return { text: '', tokens: 0, lines: 0 }
  const parts = [...headings].reverse().map(([name, said]) => [`In ${name}:`, ...said].join('\n'))
  return { text: ['Lately in other rooms.', ...parts].join('\n'), tokens, lines: given }
}

/** What the name of a room takes, about. */
const headingTokens = 12

interface Chosen {
  readonly lines: readonly ContextLine[]
  readonly tokens: number
  /** Lines that were said before the first of these. */
  readonly before: number
}

async function chosenLines(
  { ledger, models }: PromptTools,
  seen: Seen,
  limits: ModelLimits,
  room: number,
): Promise<Chosen> {
  const counts = await countLines(ledger, models, seen.lines, limits.tokenFactor)
  const before = firstLine(counts, seen.start === null, room)
  const tokens = counts.slice(before).reduce((sum, one) => sum + one, 0)
  return { lines: seen.lines.slice(before), tokens, before }
}

const timezoneOf = ({ timezone }: Config): string => timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone

/** Where the lines begin: as far back as before while all fit, else with half of the room free for those to come. */
function firstLine(counts: readonly number[], fresh: boolean, room: number): number {
  const total = counts.reduce((sum, tokens) => sum + tokens, 0)
  if (total <= room && !(fresh && total > room / 2)) return 0
  let left = room / 2
  let first = counts.length
  while (first > 0 && left >= (counts[first - 1] ?? 0)) left -= counts[--first] ?? 0
  return first
}

/** Tokens of each line, counted once and kept with it. */
export async function countLines(
  ledger: Ledger,
  models: Models,
  lines: readonly ContextLine[],
  factor: number,
): Promise<number[]> {
  const known = await ledger.read(tx => lines.map(({ seq, edits }) => countedTokens(tx, seq, edits)))
  const fresh: [ContextLine, number][] = []
  const counts: number[] = []
  for (const [at, line] of lines.entries()) {
    const tokens = known[at] ?? (await models.countTokens(line.text))
    if (known[at] === null) fresh.push([line, tokens])
    counts.push(Math.ceil(tokens * factor) + perMessage)
  }
  if (fresh.length > 0)
    ledger.mark(tx => fresh.forEach(([{ seq, edits }, tokens]) => keepCount(tx, seq, edits, tokens)))
  return counts
}

/** What a provider adds for each message. */
const perMessage = 4

function messagesOf(
  { mind, rules: fixed, summary, last }: Pieces,
  elsewhere: Piece,
  lines: readonly ContextLine[],
  pictures: readonly ModelContent[],
): ModelMessage[] {
  const system = [mind, fixed].flatMap(({ text }) => (text === '' ? [] : [text])).join('\n\n')
  const messages: { role: ModelMessage['role']; content: string }[] = [{ role: 'system', content: system }]
  const add = (role: 'user' | 'assistant', text: string): void => {
    const before = messages.at(-1)
    if (before?.role === role) before.content += `\n${text}`
    else messages.push({ role, content: text })
  }
  // Made of what people said: material as their lines are.
  if (summary.text !== '') add('user', summary.text)
  for (const { own, text } of lines) add(own ? 'assistant' : 'user', text)
  if (elsewhere.text !== '') add('user', elsewhere.text)
  add('user', last.text)
  if (pictures.length === 0) return messages
  const question = messages.pop()?.content ?? ''
  return [...messages, { role: 'user', content: [...pictures, { kind: 'text', text: question }] }]
}
