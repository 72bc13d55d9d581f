import { asChanopError } from '../../../core/error.ts'
import { type MessageEvent, saidMs } from '../../../core/event.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { endTurn, type Turn, type TurnEnd, turnById, turnsMergedInto } from '../../../core/ledger/oracle/turns.ts'
import { bySeq, type Stored } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Log } from '../../../core/log.ts'
import type { Rooms } from '../../../core/rooms.ts'
import { duration } from '../../../core/text/text.ts'
import { isWithdrawn } from '../context/seen.ts'
import { listedIn } from '../guards/guarded.ts'
import type { ModelEnd, ModelRequest, Models } from '../models/contract.ts'
import { type Stage, stageOf } from '../speech/stage.ts'
import { type Manner, type Speaker, Voice } from '../speech/voice.ts'

/** A process that died so often on one question does not try it again. */
const mostTries = 10

export interface AnswerTools {
  readonly ledger: Ledger
  readonly log: Log
  readonly models: Models
  readonly rooms: () => Rooms
  readonly manner: () => Manner
  /** Hosts of which links are shown whoever wrote them. */
  readonly linkHosts: () => readonly string[]
  /** What the model is asked for a turn, with the turns that are answered together with it. */
  readonly request: (turn: Turn, asked: Stored<MessageEvent>, signal: AbortSignal) => Promise<ModelRequest>
  /** Shows that the oracle writes in a place. */
  readonly typing: (stage: Stage, active: boolean) => void
  /** Another way to say it than as a message: to a program that brought its own conversation. Null: there is none. */
  readonly speaker: (tx: Tx, stage: Stage) => Speaker | null
}

const typingMs = 2500

/** Answers one turn, from its question to the end of its row. */
export async function answer(tools: AnswerTools, turn: Turn, holder: string, signal: AbortSignal): Promise<void> {
  const { ledger, rooms, manner } = tools
  const found = await ledger.read(tx => {
    const asked = bySeq(tx, turn.asked) as Stored<MessageEvent>
    const stage = stageOf(tx, turn, asked, rooms())
    const also = turnsMergedInto(tx, turn.id)
    const withdrawn = [turn, ...also].every(each => isWithdrawn(tx, each))
    return { asked, stage, merged: also.length, withdrawn, speaker: tools.speaker(tx, stage) }
  })
  const { asked, stage } = found
  const voice = found.speaker ?? new Voice(ledger, stage, manner(), headOf(turn, asked, found.merged))
  const conclude = (end: TurnEnd, note: string, cut?: 'cut'): Promise<boolean> =>
    ledger.write(tx => {
      if (!endTurn(tx, turn.id, holder, end, Date.now())) return false
      const says = cut ? voice.begun : note !== '' || !voice.empty
      if (says) voice.conclude(tx, note, Date.now(), cut)
      return true
    })
  // Nobody asks any more: nothing is asked of a model, and nothing said but to who asks it once more.
  const gone = found.withdrawn && !voice.begun && !signal.aborted
  const ended = gone
    ? failed('the question was deleted', turn.again === null ? '' : 'the question was deleted')
    : await spoken(tools, { turn, asked, stage, voice }, signal)
  await voice.silence()
  if (ended !== null && (await conclude(ended.end, ended.note))) return
  await stopped(tools, turn, voice, conclude)
}

interface Work {
  readonly turn: Turn
  readonly asked: Stored<MessageEvent>
  readonly stage: Stage
  readonly voice: Speaker
}

interface Ended {
  readonly end: TurnEnd
  /** What the asker has to know besides the words. */
  readonly note: string
}

const failed = (error: string, note = error): Ended => ({ end: { state: 'failed', error }, note })

/** Lets the model speak. Null: it was broken off. */
async function spoken(tools: AnswerTools, work: Work, signal: AbortSignal): Promise<Ended | null> {
  const { turn, asked, stage, voice } = work
  if (signal.aborted) return null
  if (voice.fixed)
    return failed('interrupted', `it was interrupted here by a restart; ${tools.manner().prefix}retry asks again`)
  if (turn.tries > mostTries)
    return failed(`given up after ${mostTries} tries`, 'this question could not be answered: each try was interrupted')
  tools.typing(stage, true)
  using _typing = setInterval(() => tools.typing(stage, true), typingMs)
  try {
    const request = await tools.request(turn, asked, signal)
    if (request.previews !== false) voice.links?.(listedIn(request.messages, tools.linkHosts()))
    const end = await listen(tools.models, request, voice, signal)
    return end === null || signal.aborted ? null : endingOf(end, voice)
  } catch (thrown) {
    if (signal.aborted) return null
    const error = asChanopError(thrown)
    if (error.code.startsWith('ledger-')) throw error
    voice.failed?.(error.code)
    if (error.code === 'internal') tools.log.error({ error: thrown, turn: turn.id }, 'an answer failed')
    return failed(
      error.message,
      error.code === 'internal' ? 'the answer failed; the log of oracle says why' : error.message,
    )
  } finally {
    tools.typing(stage, false)
  }
}

async function listen(
  models: Models,
  request: ModelRequest,
  voice: Speaker,
  signal: AbortSignal,
): Promise<ModelEnd | null> {
  for await (const part of models.stream(request, signal)) {
    if (part.kind === 'text') voice.push(part.text)
    else if (part.kind === 'restart') voice.restart()
    else {
      voice.ended?.(part)
      return part
    }
  }
  return null
}

const notes: Readonly<Record<ModelEnd['finishReason'], string>> = {
  stop: '',
  length: 'cut off: the model may say no more at once',
  refusal: 'the model declines to answer that',
  aborted: 'it was interrupted',
}

function endingOf({ finishReason, promptCut }: ModelEnd, voice: Speaker): Ended {
  if (finishReason === 'stop' && voice.empty) return failed('the model said nothing')
  const cut = promptCut ? 'the model read only the end of what it was given' : ''
  const note = [notes[finishReason], cut].filter(part => part !== '').join('; ')
  return { end: { state: 'done' }, note }
}

/** Somebody stopped it, or it is another process's: says so where something was said already, and keeps what was said. */
async function stopped(
  { ledger }: AnswerTools,
  turn: Turn,
  voice: Speaker,
  conclude: (end: TurnEnd, note: string, cut: 'cut') => Promise<boolean>,
): Promise<void> {
  const now = await ledger.read(tx => turnById(tx, turn.id))
  if (now?.state !== 'stopping') return
  const by = now.stoppedBy === null ? '' : ` by ${now.stoppedBy}`
  await conclude({ state: 'stopped' }, voice.begun ? `stopped${by}` : '', 'cut')
}

/** What is said before the words: that a question was missed at first, or that there were several. */
function headOf(turn: Turn, { event }: Stored<MessageEvent>, merged: number): string {
  const lateMs = turn.createdMs - saidMs(event)
  const late = lateMs > 60_000 ? `(asked ${duration(lateMs)} ago, while I was away) ` : ''
  return `${late}${merged > 0 ? `(to ${merged + 1} messages) ` : ''}`
}
