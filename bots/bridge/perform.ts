import type { Adapter } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { Act, Draft, MessageId } from '../../core/event.ts'
import { copiesIn, type Delivery } from '../../core/ledger/deliveries.ts'
import type { Ledger } from '../../core/ledger/ledger.ts'
import { openDraft } from '../../core/say.ts'
import type { Vault } from '../../core/secrets.ts'

interface Tools {
  readonly ledger: Ledger
  readonly vault: Vault
  readonly adapter: Adapter
}

/** Where an edit can't be made, the new text is said and called so. */
const edited = (draft: Draft): Draft => ({
  ...draft,
  content: { ...draft.content, segments: [{ kind: 'text', text: '(edited) ' }, ...draft.content.segments] },
})

const insecure = (): ChanopError =>
  new ChanopError('send-refused', 'a secret is not said over an unencrypted connection: connect with TLS and ask again')

const none = (what: string): ChanopError =>
  new ChanopError('unsupported', `the message this ${what} is about has no copy here`)

/** What an act says as a message of its own; null when doing it twice does no harm. */
export async function saidBy({ ledger, adapter }: Tools, { act, placeId }: Delivery): Promise<Act | null> {
  if (act.do === 'send') return act
  if (act.do !== 'edit') return null
  const copied = adapter.edit && (await ledger.read(db => copiesIn(db, act.seq, placeId))).length > 0
  return copied ? null : { do: 'send', ...edited(act.draft) }
}

/**
 * Does one act on its network. Resolves with the native ids of what was said, none for other acts. What is said, secrets
 * apart, reaches the adapter before this returns, so that the order of calls is kept. `replyTo`: what a reply answers, here.
 */
export async function perform(
  tools: Tools,
  delivery: Delivery,
  key: string,
  replyTo?: MessageId,
): Promise<readonly MessageId[]> {
  const { ledger, vault, adapter } = tools
  const { act, place } = delivery
  const copies = (seq: number): Promise<MessageId[]> => ledger.read(db => copiesIn(db, seq, delivery.placeId))
  if (act.do === 'send') {
    const { do: _do, replySeq: _seq, ...draft } = act
    if (draft.secret && (await adapter.secure?.(place)) === false) throw insecure()
    const ready = openDraft(vault, draft)
    return adapter.send(place, replyTo ? { ...ready, content: { ...ready.content, replyTo } } : ready, key)
  }
  const target = await copies(act.seq)
  const first = target[0]
  if (act.do === 'edit') {
    if (!adapter.edit || !first) return adapter.send(place, edited(act.draft), key)
    return adapter.edit(place, target, act.draft, key)
  }
  if (!first) throw none(act.do === 'react' ? 'reaction' : 'removal')
  if (act.do === 'remove') {
    if (!adapter.remove) throw new ChanopError('unsupported', 'this network can not remove messages')
    await adapter.remove(place, target, act.reason, key)
    return []
  }
  if (!adapter.react) throw new ChanopError('unsupported', 'this network has no reactions')
  const { do: _do, seq: _seq, ...reaction } = act
  await adapter.react(place, first, reaction, key)
  return []
}
