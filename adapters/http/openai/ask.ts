import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { spenderOf } from '../../../core/access/spender.ts'
import type { Conversation } from '../../../core/conversation.ts'
import { wordsOf } from '../../../core/conversation.ts'
import { type MessageEvent, type Place, text } from '../../../core/event.ts'
import { openCompletion } from '../../../core/ledger/oracle/completions.ts'
import { factOf } from '../../../core/ledger/out/asked.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { oracleModel } from '../../../core/passed-on.ts'
import { truncate } from '../../../core/text/text.ts'
import { maskKeys } from '../../../core/vault/key-shapes.ts'
import { requestId } from '../asks.ts'
import { idempotencyKeyOf } from '../command.ts'
import type { Holder } from '../door/access.ts'
import type { House } from '../house.ts'
import { asMessageId, factKey, ownPlace, senderOf } from '../place.ts'
import { mustBeHeard } from '../say.ts'
import { type Asking, wasGivenUp } from './answer.ts'

const mostKept = 20_000

const headerOf = ({ headers }: FastifyRequest, name: string): string | undefined => {
  const value = headers[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A user of a program that has users of its own, as Open WebUI names them. */
interface Forwarded {
  readonly chat: string
  readonly name: string | null
}

function decoded(written: string | undefined): string | null {
  if (written === undefined) return null
  try {
    return decodeURIComponent(written).slice(0, 64)
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
}

/** Whom a program speaks for, and in which of their chats. Believed of keys alone that were made for it. */
function forwardedBy(request: FastifyRequest, { key }: Holder): Forwarded | null {
  if (!key.forwards) return null
  const user = headerOf(request, 'x-openwebui-user-id')
  const chat = headerOf(request, 'x-openwebui-chat-id')
  if (user === undefined && chat === undefined) return null
  // Of what a program calls them a name of ours is made: whatever they hold, they name one conversation of one user.
  const hash = createHash('sha256')
    .update(`${user ?? ''}\n${chat ?? ''}`)
    .digest('base64url')
    .slice(0, 20)
  return { chat: hash, name: decoded(headerOf(request, 'x-openwebui-user-name')) }
}

/** Keys that stand in what is asked go to no model and into no row. */
const masked = (conversation: Conversation): Conversation => ({
  ...conversation,
  messages: conversation.messages.map(message => ({
    ...message,
    content:
      typeof message.content === 'string'
        ? maskKeys(message.content)
        : message.content.map(part => ('text' in part ? { ...part, text: maskKeys(part.text) } : part)),
  })),
})

function questionIn({ messages }: Conversation): string {
  const last = messages.findLast(({ role }) => role === 'user')
  const words = last ? wordsOf(last.content).trim() : ''
  return words === '' ? '(a question without words)' : truncate(words, mostKept)
}

/** Calls that a chat program makes by itself, about a conversation: a title, tags, what could be asked next. */
export const isBackground = ({ messages }: Conversation): boolean => {
  const [first, ...more] = messages.filter(({ role }) => role !== 'system')
  return more.length === 0 && first?.role === 'user' && /^\s*### Task:/.test(wordsOf(first.content))
}

/** For whom a completion is, on whose budget, and in which room's. */
export const askerOf = ({ network }: House, holder: Holder) => ({
  network,
  account: holder.account,
  person: spenderOf(network, { id: holder.account, verified: true }, holder),
  room: `${network}:@${holder.account}`,
})

/** The id of a question. Of one that was asked before and hung up on another: it is asked anew. */
function questionId({ interior, network }: House, request: FastifyRequest, holder: Holder): string {
  const id = requestId(idempotencyKeyOf(request))
  return interior.ledger.readNow(tx => {
    for (let n = 1, tried = id; ; tried = `${id}-${++n}`) {
      const before = factOf(tx, factKey(network, holder.account, tried))
      if (!before || !wasGivenUp(tx, before.seq, holder)) return tried
    }
  })
}

/** Asks the oracle, with the conversation that the program brought. What is only background stays out of the record. */
export async function askOracle(
  house: House,
  request: FastifyRequest,
  holder: Holder,
  given: Conversation,
): Promise<Asking> {
  const { network, interior } = house
  const { account, agent } = holder
  mustBeHeard(house, request, holder)
  const conversation = masked(given)
  const forwarded = forwardedBy(request, holder)
  const id = questionId(house, request, holder)
  const background = isBackground(conversation)
  const key = background ? `${factKey(network, account, id)}/task` : factKey(network, account, id)
  const asked = {
    key,
    ...askerOf(house, holder),
    model: oracleModel,
    body: JSON.stringify(conversation),
    turn: !background,
  }
  const open = (tx: Tx): void => {
    openCompletion(tx, asked, Date.now())
    if (background) interior.ledger.first('oracle')
  }
  await interior.ledger.write(open, { durable: !background })
  if (background) return { id, key, seq: null }
  const place: Place = ownPlace(network, account, forwarded?.chat)
  const event: MessageEvent = {
    kind: 'message',
    key,
    id: asMessageId(id),
    place,
    sender: senderOf(account, forwarded?.name ?? holder.name, agent ? 'bot' : 'person'),
    atMs: Date.now(),
    origin: 'live',
    to: 'oracle',
    content: text(questionIn(conversation)),
    standalone: true,
  }
  return { id, key, seq: await house.asks.take(house.sink, event) }
}
