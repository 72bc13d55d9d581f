import { includes } from '../../../core/access/role.ts'
import { openTurns, type Turn } from '../../../core/ledger/oracle/turns.ts'
import { decisionOf } from '../../../core/ledger/record/decisions.ts'
import { messageOf } from '../../../core/ledger/record/events.ts'
import { turnOfMessage } from '../../../core/stop.ts'
import { count, duration, escapeInline, truncate } from '../../../core/text/text.ts'
import { promptFor } from '../context/prompt.ts'
import { questionMeant, wordsOf } from './ask.ts'
import { declare } from './services.ts'

const quoted = (words: string): string => `“${escapeInline(truncate(words.replace(/\s+/g, ' '), 60))}”`

const took = ({ startedMs, settledMs, createdMs }: Turn, nowMs: number): string =>
  duration((settledMs ?? nowMs) - (startedMs ?? createdMs))

function became(turn: Turn, nowMs: number): string {
  const { state, stoppedBy, error } = turn
  if (state === 'done') return `answered in ${took(turn, nowMs)}`
  if (state === 'stopped') return `stopped${stoppedBy ? ` by ${escapeInline(stoppedBy)}` : ''}`
  if (state === 'failed') return `failed: ${escapeInline(error ?? '')}`
  return state === 'queued' ? 'it waits' : `${state} for ${took(turn, nowMs)}`
}

const why = declare({
  name: 'why',
  summary: 'why the oracle answered your last question here, or the message that is replied to, or did not',
  role: 'guest',
  reply: 'public',
  examples: [['!why', 'you asked nothing here yet; reply to a message to ask about it']],
  run: async context => {
    const { event, ledger, atMs } = context
    return ledger.read(tx => {
      const { place, content } = event.event
      const message = content.replyTo === undefined ? null : messageOf(tx, place, content.replyTo)
      const meant = message ? null : questionMeant(tx, context)
      const turn = message ? turnOfMessage(tx, place, content.replyTo) : meant?.turn
      const seq = turn?.asked ?? message?.seq ?? meant?.seq
      if (seq === undefined) return 'you asked nothing here yet; reply to a message to ask about it'
      const decision = decisionOf(tx, seq)
      if (!decision) return 'not answered: nothing in it spoke to the oracle'
      if (!turn) return `not answered: ${escapeInline(decision.reason)}`
      return `${quoted(wordsOf(tx, turn))}: ${escapeInline(decision.reason)} · ${became(turn, atMs)}`
    })
  },
})

const queue = declare({
  name: 'queue',
  summary: 'what the oracle answers here, and what waits',
  role: 'guest',
  reply: 'public',
  examples: [['!queue', 'nothing waits here']],
  run: async ({ ledger, event, caller, atMs }) =>
    ledger.read(tx => {
      const all = openTurns(tx)
      const here = all.filter(({ lane }) => lane === event.room || lane.startsWith(`${event.room}\n`))
      const lines = here.map(
        (turn, at) => `${at + 1}. ${escapeInline(turn.by.name)} ${quoted(wordsOf(tx, turn))} · ${became(turn, atMs)}`,
      )
      const elsewhere = all.length - here.length
      if (elsewhere > 0 && includes(caller.globalRole, 'operator')) lines.push(`elsewhere: ${elsewhere}`)
      return lines.length === 0 ? 'nothing waits here' : { lines }
    }),
})

const context = declare({
  name: 'context',
  summary: 'what the oracle would be given to answer you here, in tokens, and what is left out',
  role: 'guest',
  reply: 'private',
  examples: [['!context', 'no model is configured']],
  run: async ({ services, event }) => {
    if (!services.models.limits('answer', event.room)) return 'no model is configured'
    const { parts, budget, before, seqs, limits } = await promptFor(services.prompts, [], event)
    const total = parts.reduce((sum, { tokens }) => sum + tokens, 0)
    const shown = parts
      .filter(({ tokens }) => tokens > 0)
      .map(({ name, tokens, lines }) => `${name} ${count(tokens)}${lines > 0 ? ` (${lines} lines)` : ''}`)
    const from = seqs.length === 0 ? '' : ` · lines #${seqs[0]}–#${seqs.at(-1)}`
    const left = before > 0 ? ` · left out: ${before} older lines` : ''
    return `${escapeInline(limits.model)}: ${count(total)} of ${count(budget)} tokens · ${shown.join(', ')}${from}${left}`
  },
})

export const lookCommands = [why, queue, context]
