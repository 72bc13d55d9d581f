import { formatPlace, type MessageEvent, type Place, type UserId } from '../event.ts'
import { enqueue, type NewDelivery } from '../ledger/deliveries.ts'
import type { Stored } from '../ledger/events.ts'
import { placeOrder } from '../ledger/orders.ts'
import { dropPage } from '../ledger/pages.ts'
import type { Tx } from '../ledger/tx.ts'
import { type Hall, loneRoom } from '../rooms.ts'
import { say, sealedDraft } from '../say.ts'
import type { Vault } from '../secrets.ts'
import { parseInline } from '../text.ts'
import type { Answer, CommandSettings } from './command.ts'
import { keepForMore, pageLines } from './state/pager.ts'

export interface AnswerTools {
  readonly bot: string
  readonly vault: Vault
  readonly settings: CommandSettings
  readonly roomPlaces: (place: Place) => readonly Place[]
}

interface Voice {
  readonly in: Hall
  readonly only?: UserId
  readonly replySeq: number | undefined
}

/** Where the asker alone reads: the direct conversation in which they asked, or for them only in the place where they did. */
const privately = ({ event: { place, sender } }: Stored<MessageEvent>): Pick<Voice, 'in' | 'only'> =>
  place.private ? { in: loneRoom(place) } : { in: loneRoom(place), only: sender.id }

/** Where an answer is said: a public one in every place of the room, first in the one where it was asked. */
export function voiceOf(
  stored: Stored<MessageEvent>,
  reply: 'public' | 'private',
  roomPlaces: AnswerTools['roomPlaces'],
): Voice {
  const { place } = stored.event
  if (place.private) return { in: loneRoom(place), replySeq: stored.seq }
  if (reply === 'private') return { ...privately(stored), replySeq: undefined }
  const others = roomPlaces(place).filter(other => formatPlace(other) !== formatPlace(place))
  return { in: { name: stored.room, places: [place, ...others] }, replySeq: stored.seq }
}

/** Queues an answer, its orders and what is said when they have ended; keeps its other pages. In the caller's transaction. */
export function deliverAnswer(
  db: Tx,
  tools: AnswerTools,
  asked: { readonly stored: Stored<MessageEvent>; readonly answer: Answer; readonly reply: 'public' | 'private' },
  nowMs: number,
): void {
  const { stored, answer, reply } = asked
  const { settings } = tools
  const bot = answer.page?.bot ?? tools.bot
  const asker = { place: stored.event.place, account: stored.event.sender.id }
  const program = stored.event.asked
  const most = program?.whole ? answer.lines.length : settings.lines
  const { from, size } = answer.page ?? { from: 0, size: most }
  const shown = pageLines(answer.lines, from, size, settings.prefix)
  const until = from + shown.length
  if (until < answer.lines.length) keepForMore(db, asker, { lines: answer.lines, reply, shown: until, bot }, nowMs)
  else if (answer.page) dropPage(db, asker)
  const { replySeq, ...voice } = voiceOf(stored, reply, tools.roomPlaces)
  const content = { segments: parseInline(shown.join('\n')) }
  const replying = replySeq === undefined ? {} : { replySeq }
  const key = `${tools.bot}.${stored.seq}`
  // Who asked without text is a program: it alone is given what programs read.
  const data = program && answer.data !== undefined ? { data: answer.data } : {}
  const fault = program && answer.fault !== undefined ? { fault: answer.fault } : {}
  if (shown.length > 0) say(db, { bot, content, ...voice, key, ...replying, ...data, ...fault }, nowMs)
  if (answer.secret !== undefined) whisper(db, tools, stored, answer.secret, undefined, nowMs)
  for (const ordered of answer.orders ?? []) {
    const order = placeOrder(db, ordered.order, nowMs)
    for (const result of ['done', 'failed'] as const) {
      if (ordered[result] === '') continue
      // Only one of the two will be said: neither is a fact of the conversation yet.
      const act = {
        do: 'send' as const,
        content: { segments: parseInline(ordered[result]) },
        as: { name: bot },
        ...replying,
        ...(voice.only === undefined ? {} : { only: voice.only }),
        ...(program && result === 'failed' ? { fault: 'account-failed' } : {}),
      }
      for (const place of voice.in.places) enqueue(db, { place, bot, act, waits: { order, result } }, nowMs)
    }
    if (ordered.secret !== undefined) whisper(db, tools, stored, ordered.secret, { order, result: 'done' }, nowMs)
  }
}

/** Says a secret, sealed until it goes out, to the asker alone. */
function whisper(
  db: Tx,
  { bot, vault }: AnswerTools,
  stored: Stored<MessageEvent>,
  secret: string,
  waits: NewDelivery['waits'],
  nowMs: number,
): void {
  const { in: hall, only } = privately(stored)
  // Who asked without text tells by this which of its messages it answers.
  const replying = stored.event.asked ? { replySeq: stored.seq } : {}
  const toOne = only === undefined ? {} : { only }
  const act = { do: 'send' as const, ...sealedDraft(vault, bot, secret), ...toOne, ...replying }
  for (const place of hall.places) enqueue(db, { place, bot, act, ...(waits ? { waits } : {}) }, nowMs)
}
