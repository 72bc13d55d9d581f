import type { FastifyRequest } from 'fastify'
import { Reader } from '../../core/command/visit/reading.ts'
import { type MessageEvent, type Place, text } from '../../core/event.ts'
import { bots } from '../../core/process/bots.ts'
import { requestId } from './asks.ts'
import { idempotencyKeyOf } from './command.ts'
import { type Holder, hasScope } from './door/access.ts'
import { isMuted } from './door/reach.ts'
import type { House } from './house.ts'
import { noteRequest } from './notes.ts'
import { asMessageId, factKey, senderOf } from './place.ts'
import { Problem } from './problem.ts'

const readers = new WeakMap<House, Reader>()

function readerOf(house: House): Reader {
  const known = readers.get(house)
  if (known) return known
  const reader = new Reader({ prefix: () => house.interior.settings().commands.prefix, bots })
  readers.set(house, reader)
  return reader
}

/** Whether what somebody says would be carried out as a command. */
function isCommand(house: House, event: MessageEvent): boolean {
  const reader = readerOf(house)
  const heard = reader.hear(event)
  if (!heard) return false
  return heard.prefixed || house.interior.ledger.readNow(tx => reader.read(tx, heard)).found.is === 'command'
}

/** Throws when the owner of a key is neither relayed nor obeyed now. */
export function mustBeHeard(house: House, request: FastifyRequest, holder: Holder): void {
  const { interior, refused } = house
  const { ignore } = interior.settings()
  if (!interior.ledger.readNow(tx => isMuted(tx, holder, ignore, Date.now()))) return
  refused(request, 'muted')
  throw new Problem(403, 'denied', `${holder.name} is muted: nothing they say is taken in`)
}

/** Says something in a place, once for each Idempotency-Key. Its number in the record, and its id. */
export async function say(
  house: House,
  request: FastifyRequest,
  holder: Holder,
  place: Place,
  said: string,
): Promise<{ readonly id: string; readonly seq: number }> {
  const { account, name, agent } = holder
  const id = requestId(idempotencyKeyOf(request))
  const event: MessageEvent = {
    kind: 'message',
    key: factKey(house.network, account, id),
    id: asMessageId(id),
    place,
    sender: senderOf(account, name, agent ? 'bot' : 'person'),
    atMs: Date.now(),
    origin: 'live',
    content: text(said),
  }
  mustBeHeard(house, request, holder)
  if (!hasScope(holder, 'command') && isCommand(house, event)) {
    house.refused(request, 'the key has no scope command')
    throw new Problem(403, 'denied', 'that would be a command, and this key has no scope command')
  }
  const seq = await house.asks.take(house.sink, event)
  noteRequest(house, request, { event: seq, channel: place.channel, decision: 'allowed', result: 'said' })
  return { id, seq }
}
