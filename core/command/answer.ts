import {
  type Attachment,
  type Content,
  type Face,
  formatPlace,
  type MessageEvent,
  type Place,
  type UserId,
} from '../event.ts'
import { enqueue, type NewDelivery } from '../ledger/out/deliveries.ts'
import { placeOrder } from '../ledger/out/orders.ts'
import type { Stored } from '../ledger/record/events.ts'
import { dropPage } from '../ledger/record/pages.ts'
import type { Tx } from '../ledger/tx.ts'
import { type Hall, loneRoom } from '../rooms.ts'
import { type Saying, say, sealedDraft } from '../say.ts'
import { parseInline } from '../text/text.ts'
import type { Vault } from '../vault/secrets.ts'
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
  readonly face: Face
  readonly only?: UserId
  readonly asideSeq?: number
  readonly replySeq?: number
}

/** The bot in whose direct conversation all are answered who asked in a room. */
const window = 'admin'

/**
 * Who is shown to answer: in a room the bot that does; in private one for all, so that nobody has as many windows as there
 * are bots: the one that was spoken to, else `admin`.
 */
export function faceOf({ event: { place, to } }: Stored<MessageEvent>, reply: 'public' | 'private', bot: string): Face {
  if (place.private) return { name: to ?? bot }
  return { name: reply === 'private' ? window : bot }
}

/** Where the asker alone reads: the direct conversation in which they asked, or for them only in the place where they did. */
function privately(stored: Stored<MessageEvent>, bot: string): Omit<Voice, 'replySeq'> {
  const { place, sender } = stored.event
  const face = faceOf(stored, 'private', bot)
  return place.private
    ? { in: loneRoom(place), face }
    : { in: loneRoom(place), face, only: sender.id, asideSeq: stored.seq }
}

/** Where and as whom an answer is said: a public one in every place of the room, first in the one where it was asked. */
export function voiceOf(
  stored: Stored<MessageEvent>,
  reply: 'public' | 'private',
  { bot, roomPlaces }: Pick<AnswerTools, 'bot' | 'roomPlaces'>,
): Voice {
  const { place } = stored.event
  if (place.private) return { ...privately(stored, bot), replySeq: stored.seq }
  if (reply === 'private') return privately(stored, bot)
  const others = roomPlaces(place).filter(other => formatPlace(other) !== formatPlace(place))
  const face = faceOf(stored, reply, bot)
  return { in: { name: stored.room, places: [place, ...others] }, face, replySeq: stored.seq }
}

/** Queues an answer, its orders and what is said when they have ended; keeps its other pages. In the caller's transaction. */
export function deliverAnswer(
  db: Tx,
  tools: AnswerTools,
  asked: { readonly stored: Stored<MessageEvent>; readonly answer: Answer; readonly reply: 'public' | 'private' },
  nowMs: number,
): void {
  const { stored, answer, reply } = asked
  const { lines = [] } = answer
  const { settings } = tools
  const bot = answer.page?.bot ?? tools.bot
  const asker = { place: stored.event.place, account: stored.event.sender.id }
  const program = stored.event.asked
  const most = program?.whole ? lines.length : settings.lines
  const { from, size } = answer.page ?? { from: 0, size: most }
  const shown = pageLines(lines, from, size, settings.prefix)
  const until = from + shown.length
  if (until < lines.length) keepForMore(db, asker, { lines, reply, shown: until, bot }, nowMs)
  else if (answer.page) dropPage(db, asker)
  const voice = voiceOf(stored, reply, { ...tools, bot })
  const { in: hall, face, ...toWhom } = voice
  const content = { segments: parseInline(shown.join('\n')) }
  const key = `${tools.bot}.${stored.seq}`
  // Who asked without text is a program: it alone is given what programs read.
  const data = program && answer.data !== undefined ? { data: answer.data } : {}
  const fault = program && answer.fault !== undefined ? { fault: answer.fault } : {}
  // What one person alone may see can hold no file everywhere.
  const pictured = answer.picture && voice.only === undefined ? drawnBeside(content, answer.picture) : {}
  if (shown.length > 0) say(db, { bot, content, ...voice, key, ...data, ...fault, ...pictured }, nowMs)
  if (answer.secret !== undefined) whisper(db, tools, stored, answer.secret, undefined, nowMs)
  for (const ordered of answer.orders ?? []) {
    const order = placeOrder(db, ordered.order, nowMs)
    for (const result of ['done', 'failed'] as const) {
      if (ordered[result] === '') continue
      // Only one of the two will be said: neither is a fact of the conversation yet.
      const act = {
        do: 'send' as const,
        content: { segments: parseInline(ordered[result]) },
        as: face,
        ...toWhom,
        ...(program && result === 'failed' ? { fault: 'account-failed' } : {}),
      }
      for (const place of hall.places) enqueue(db, { place, bot, act, waits: { order, result } }, nowMs)
    }
    if (ordered.secret !== undefined) whisper(db, tools, stored, ordered.secret, { order, result: 'done' }, nowMs)
  }
}

/** The record keeps the words alone: the picture says the same. */
function drawnBeside(content: Content, { name, chart }: NonNullable<Answer['picture']>): Pick<Saying, 'contentIn'> {
  const file: Attachment = { ref: 'chart', name: `${name}.png`, type: 'image/png', beside: true, chart }
  return { contentIn: () => ({ ...content, attachments: [file] }) }
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
  const { in: hall, face, ...toWhom } = privately(stored, bot)
  // Who asked without text tells by this which of its messages it answers.
  const replying = stored.event.asked ? { replySeq: stored.seq } : {}
  const act = { do: 'send' as const, ...sealedDraft(vault, face.name, secret), ...toWhom, ...replying }
  for (const place of hall.places) enqueue(db, { place, bot, act, ...(waits ? { waits } : {}) }, nowMs)
}
