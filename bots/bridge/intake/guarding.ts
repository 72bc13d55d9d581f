import { codeHash } from '../../../core/access/claim-codes.ts'
import { type Caught, guard } from '../../../core/command/visit/guard.ts'
import type { Reader } from '../../../core/command/visit/reading.ts'
import {
  type ChatEvent,
  type EditEvent,
  type MessageEvent,
  type MessageId,
  text,
  type UserId,
} from '../../../core/event.ts'
import { audit } from '../../../core/ledger/audit/audit.ts'
import { dropClaim } from '../../../core/ledger/people/claims.ts'
import type { Stored } from '../../../core/ledger/record/events.ts'
import { networkDrafts } from '../../../core/ledger/settings/network-drafts.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { loneRoom } from '../../../core/rooms.ts'
import { say } from '../../../core/say.ts'
import { maskKeys } from '../../../core/vault/key-shapes.ts'
import { missingStep } from '../networks/setup.ts'

/** A fact as it may be kept. */
export interface Checked {
  readonly event: ChatEvent
  /** It is, or was, about a secret: nothing of it goes to other places. */
  readonly secret: boolean
  readonly caught?: Caught
}

/** Takes secrets out of a fact before it is written down. */
export function check(db: Tx, fact: ChatEvent, reader: Reader): Checked {
  const event = nameless(fact)
  if (event.kind !== 'message' && event.kind !== 'edit') return besides(db, event, reader)
  if (event.masked) return { event, secret: true }
  const found = guard(db, event, reader)
  if (found.is === 'open') return { event, secret: false }
  if (found.is === 'command') return { event, secret: true }
  if (found.is === 'refused') {
    const asked = found.asked ? { asked: found.asked } : {}
    return { event: { ...worded(event, found.words), ...asked } as MessageEvent | EditEvent, secret: true }
  }
  const { caught } = found
  return { event: { ...worded(event, caught.words), masked: true }, secret: true, caught }
}

/** A name can be a key as well. */
function nameless<E extends ChatEvent>(event: E): E {
  const { sender } = event
  const name = maskKeys(sender.name)
  if (name === sender.name) return event
  return { ...event, sender: { ...sender, name, id: sender.verified ? sender.id : (maskKeys(sender.id) as UserId) } }
}

type Besides = Exclude<ChatEvent, MessageEvent | EditEvent>

/** The field that holds what somebody wrote besides messages: a topic, a reason, a new name. */
const wordsIn = { topic: 'topic', member: 'detail', delete: 'reason' } as const
type Field = (typeof wordsIn)[keyof typeof wordsIn]

/** What people write besides messages is kept and shown as these are. */
function besides(db: Tx, event: Besides, reader: Reader): Checked {
  const field = event.kind === 'reaction' || event.kind === 'gap' ? null : wordsIn[event.kind]
  const words = field && (event as Partial<Record<Field, string>>)[field]
  if (!words) return { event, secret: false }
  const { key, place, sender, atMs, origin } = event
  const said: MessageEvent = {
    kind: 'message',
    id: '' as MessageId,
    key,
    place,
    sender,
    atMs,
    origin,
    content: text(words),
  }
  const found = guard(db, said, reader)
  if (found.is === 'open' || found.is === 'command') return { event, secret: false }
  const kept = found.is === 'refused' ? found.words : found.caught.words
  const masked = { ...event, [field]: kept } as Besides
  return { event: masked, secret: true, ...(found.is === 'caught' ? { caught: found.caught } : {}) }
}

/** The same with other words, and nothing else that could hold the ones it had. */
function worded(event: MessageEvent | EditEvent, words: string): MessageEvent | EditEvent {
  const { replyTo, style } = event.content
  const content = {
    ...text(words),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(style === undefined ? {} : { style }),
  }
  if (event.kind === 'edit') return { ...event, content }
  const { asked: _asked, ...rest } = event
  return { ...rest, content }
}

/** Whoever floods with keys is told once in a while. */
const tellEveryMs = 5000

/** Makes codes that others saw worthless, leaves a line in the audit, and tells who said it what to do. */
export function tellCaught(db: Tx, { event, seq }: Stored, caught: Caught, prefix: string, nowMs: number): void {
  for (const code of caught.codes) {
    for (const kind of ['agent', 'invite'] as const) dropClaim(db, codeHash('claim', code), kind)
    dropClaim(db, codeHash('link', code), 'link')
  }
  const { place, sender } = event
  audit(db, {
    atMs: nowMs,
    bot: 'bridge',
    event: seq,
    network: place.network,
    channel: place.channel,
    account: sender.id,
    name: sender.name,
    role: '',
    command: caught.meant,
    args: '***',
    decision: 'ignored',
    result: `masked: ${reasons[caught.what]}`,
    ms: 0,
  })
  // Who leaves or takes another name is not there to be told.
  const stays = event.kind !== 'member'
  const mayAnswer = stays && event.origin === 'live' && sender.kind === 'person' && !('hops' in event && event.hops)
  const style = event.kind === 'message' || event.kind === 'edit' ? event.content.style : undefined
  if (!mayAnswer || style === 'notice') return
  const bot = (event.kind === 'message' && place.private ? event.to : undefined) ?? 'admin'
  const only = place.private ? {} : { only: sender.id, asideSeq: seq }
  const key = `guard.${place.network}.${sender.id}.${caught.what}.${Math.floor(nowMs / tellEveryMs)}`
  const line = lineFor(caught, place.private === true, prefix, guideIn(db))
  say(db, { bot, content: text(line), in: loneRoom(place), ...only, key }, nowMs)
}

const reasons: Readonly<Record<Caught['what'], string>> = {
  command: 'it looked like a command that takes a secret',
  key: 'it held what looks like a key',
  code: 'it held a code that hands something over',
}

/** The network that is being set up and waits for a secret: its name and the key; null: none. */
function guideIn(db: Tx): string | null {
  const [newest] = networkDrafts(db).toSorted((a, b) => b.atMs - a.atMs)
  const step = newest && missingStep(newest.config)
  return newest && step?.secret ? `${newest.name} ${step.key}` : null
}

function lineFor({ what, meant, codes }: Caught, isPrivate: boolean, prefix: string, guide: string | null): string {
  const seen = isPrivate ? '' : '; others saw it: take another value'
  if (what === 'code') {
    return codes.length > 0
      ? 'others saw that code: it counts no more. Ask for a new one, and say it to admin in a direct message'
      : `that code was not passed on; say it to admin in a direct message: ${prefix}claim CODE for an agent, ${prefix}link CODE for an account`
  }
  if (what === 'key') {
    const asked = guide === null ? '' : ` What ${guide} waits for: ${prefix}network set ${guide} VALUE, to bridge.`
    return `what you said looks like it holds a key: it was masked and nothing was done with it${seen}.${asked} A key goes into the vault: ${prefix}secret set NAME VALUE, said to admin in a direct message`
  }
  if (meant === 'identify') return `that looked like a login to the network's services: it was masked${seen}`
  return `nothing was done: that looked like ${meant} written wrongly, and was masked${seen}. In a direct message to admin: ${prefix}help ${meant}`
}
