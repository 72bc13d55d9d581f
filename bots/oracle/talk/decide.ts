import type { Config } from '../../../config/schema.ts'
import { isIgnored } from '../../../core/command/visit/desk.ts'
import { freshMs } from '../../../core/command/visit/gate.ts'
import type { Reader } from '../../../core/command/visit/reading.ts'
import { type MessageEvent, saidMs } from '../../../core/event.ts'
import { type Agent, agentNamed, agentOf } from '../../../core/ledger/agents/agents.ts'
import { lastTurnIn, turnsOfBotSince, turnsSince } from '../../../core/ledger/oracle/turns.ts'
import { accountsShownAs, namesakes } from '../../../core/ledger/people/members.ts'
import { personByName } from '../../../core/ledger/people/people.ts'
import type { Decision } from '../../../core/ledger/record/decisions.ts'
import { messageOf, recent, type Stored } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { bots } from '../../../core/process/bots.ts'
import { Rooms } from '../../../core/rooms.ts'
import { duration } from '../../../core/text/text.ts'
import { type Address, addressOf } from './address.ts'

/** A question that is older was missed and is not answered any more. */
const missedMs = 10 * 60_000
/** Who asked goes on in the same thread without a name for so long. */
const followUpMs = 5 * 60_000
const windowMs = 10 * 60_000

const standsAlone = (event: Stored['event']): event is MessageEvent =>
  event.kind === 'message' && event.standalone === true

/** Turns of one lane are answered one after the other: a thread, else a room, else a direct conversation. */
export const laneOf = ({ room, event }: Pick<Stored, 'room' | 'event'>): string =>
  standsAlone(event)
    ? `${room}\n${event.id}`
    : event.place.thread === undefined
      ? room
      : `${room}\n${event.place.thread}`

/** Whether it was said while nobody here listened. */
export const isLate = ({ event, receivedMs }: Stored<MessageEvent>, nowMs: number): boolean =>
  event.origin !== 'live' || nowMs - receivedMs > freshMs || receivedMs - saidMs(event) > freshMs

export interface Considered {
  readonly decision: Decision
  readonly address: Address & { readonly is: 'oracle' }
}

/** What decisions are made by. */
export interface Minding {
  readonly config: Config
  readonly reader: Reader
}

const no = (reason: string): Decision => ({ answers: false, reason })

/** Whether the oracle answers a message; null: it was not spoken to, and nothing is kept. Decided by code, never by a model. */
export function decide(
  tx: Tx,
  stored: Stored<MessageEvent>,
  { config, reader }: Minding,
  nowMs: number,
): Considered | null {
  const { event } = stored
  if (event.sender.kind === 'self' || event.content.style === 'notice' || (event.hops ?? 0) > 0) return null
  if (isIgnored(config.ignore, event)) return null
  const address = spokenTo(tx, stored, { config, reader }, nowMs)
  if (!address) return null
  const answers: Decision = { answers: true, reason: address.why }
  const decision = refusal(tx, stored, address, { config, reader }, nowMs) ?? answers
  return { decision, address }
}

type Spoken = Considered['address']

function spokenTo(tx: Tx, stored: Stored<MessageEvent>, { config, reader }: Minding, nowMs: number): Spoken | null {
  const { event } = stored
  const address = addressOf(tx, event, reader)
  if (address.is !== 'talk') return address.is === 'oracle' ? address : null
  if (address.toOthers || event.sender.kind !== 'person') return null
  if (address.called !== null && isSomebody(tx, address.called, event, config)) return null
  const unasked = (why: string): Spoken => ({ is: 'oracle', why, strong: false, words: '' })
  if (goesOn(tx, stored, nowMs)) return unasked('the same asker went on in its thread')
  return modeOf(stored, config) === 'all' && !agentBehind(tx, event)
    ? unasked('it answers everything in this room')
    : null
}

/** Whether there is somebody of that name: `Hello, …` and `Note: …` are said to nobody in particular. */
const isSomebody = (tx: Tx, name: string, { place }: MessageEvent, config: Config): boolean =>
  bots.some(bot => bot === name.toLowerCase()) ||
  namesakes(tx, name, new Rooms(config.rooms).with(place)).length > 0 ||
  accountsShownAs(tx, place.network, name).length > 0 ||
  personByName(tx, name) !== null ||
  agentNamed(tx, name) !== null

/** The same person in the same thread, soon after they were answered there. */
function goesOn(tx: Tx, stored: Stored<MessageEvent>, nowMs: number): boolean {
  const { event } = stored
  if (event.place.thread === undefined) return false
  const last = lastTurnIn(tx, laneOf(stored), { network: event.place.network, user: event.sender.id })
  return last !== null && nowMs - (last.settledMs ?? nowMs) < followUpMs
}

/** When the oracle speaks in a place. */
export const modeOf = ({ event }: Stored, config: Config): Config['oracle']['mode'] => {
  const room = new Rooms(config.rooms).of(event.place)
  return (room && config.rooms[room.name]?.oracle) ?? config.oracle.mode
}

const agentBehind = (tx: Tx, { place, sender }: MessageEvent): Agent | null =>
  sender.verified ? agentOf(tx, place.network, sender.id) : null

function refusal(
  tx: Tx,
  stored: Stored<MessageEvent>,
  address: Spoken,
  { config, reader }: Minding,
  nowMs: number,
): Decision | null {
  const { event } = stored
  if (!event.place.private && modeOf(stored, config) === 'off') return no('the oracle is off in this room')
  const cut = programRefusal(tx, stored, address, config, nowMs)
  if (cut) return cut
  return isLate(stored, nowMs) ? missedRefusal(tx, stored, reader, nowMs) : null
}

/** Why what a program asks gets no answer; null: it does, or a person asks. */
export function programRefusal(
  tx: Tx,
  stored: Stored<MessageEvent>,
  by: Pick<Spoken, 'strong'>,
  config: Config,
  nowMs: number,
): Decision | null {
  const agent = agentBehind(tx, stored.event)
  return stored.event.sender.kind === 'bot' || agent ? botRefusal(tx, stored, agent, by, config, nowMs) : null
}

/** Two programs could talk for ever: they need leave, a name each time, and a person now and then. */
function botRefusal(
  tx: Tx,
  stored: Stored<MessageEvent>,
  agent: Agent | null,
  { strong }: Pick<Spoken, 'strong'>,
  config: Config,
  nowMs: number,
): Decision | null {
  const { place, sender } = stored.event
  const listed = config.oracle.bots.includes(`${place.network}:${sender.id}`)
  const engaged = agent?.permissions.some(permission => permission === 'ask' || permission === '*') ?? false
  if (!listed && !engaged) return no('programs do not wake it unless they are allowed to (oracle.bots)')
  // A conversation of its own goes round in no circle: rates and budgets of its key are enough.
  if (stored.event.standalone) return null
  if (!strong) return no('a program has to name it')
  const by = { network: place.network, user: sender.id }
  const { perBot, botsInARow } = config.oracle
  if (turnsOfBotSince(tx, by, nowMs - windowMs) >= perBot)
    return no(`a loop was cut: ${perBot} answers to this program in ${duration(windowMs)}`)
  const heard = recent(tx, stored.room, 100, stored.seq).findLast(
    ({ event }) => event.sender.kind === 'person' && !agentBehind(tx, event),
  )
  if (turnsSince(tx, laneOf(stored), heard?.seq ?? 0) >= botsInARow)
    return no(`a loop was cut: ${botsInARow} answers in a row without a person`)
  return null
}

/** A missed question is answered while it is young, and when nobody has spoken to the oracle there since. */
function missedRefusal(tx: Tx, stored: Stored<MessageEvent>, reader: Reader, nowMs: number): Decision | null {
  const ageMs = nowMs - saidMs(stored.event)
  if (ageMs > missedMs) return no(`it was missed, and ${duration(ageMs)} is too old`)
  const since = recent(tx, stored.room, 200).filter(({ seq }) => seq > stored.seq)
  const again = since.some(({ event }) => addressOf(tx, event, reader).is === 'oracle' && event.sender.kind !== 'self')
  if (again) return no('it was missed, and somebody spoke to the oracle since')
  const answers = ({ place, sender, content }: MessageEvent): boolean =>
    sender.kind === 'person' &&
    sender.id !== stored.event.sender.id &&
    content.replyTo !== undefined &&
    messageOf(tx, place, content.replyTo)?.seq === stored.seq
  return since.some(({ event }) => answers(event)) ? no('it was missed, and somebody answered it since') : null
}
