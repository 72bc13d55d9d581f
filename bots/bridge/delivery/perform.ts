import type { Adapter } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import {
  type Act,
  type Attachment,
  type Content,
  type Draft,
  isNeeded,
  isNowhere,
  type MessageId,
  type Place,
} from '../../../core/event.ts'
import type { Way } from '../../../core/ledger/out/copies.ts'
import type { Delivery } from '../../../core/ledger/out/deliveries.ts'
import { channelOf } from '../../../core/ledger/record/events.ts'
import { openDraft } from '../../../core/say.ts'
import type { Vault } from '../../../core/vault/secrets.ts'
import { toldEdit } from './edited.ts'
import type { Files } from './files.ts'

interface Tools {
  readonly files: Files
  readonly vault: Vault
  readonly adapter: Adapter
}

const insecure = (): ChanopError =>
  new ChanopError('send-refused', 'a secret is not said over an unencrypted connection: connect with TLS and ask again')

const noWay = (): ChanopError =>
  new ChanopError('unsupported', 'this network can not say something to one person alone')

const none = (what: string): ChanopError =>
  new ChanopError('unsupported', `the message this ${what} is about has no copy here`)

const isRefusal = (error: unknown): boolean => error instanceof ChanopError && error.code === 'send-refused'

/** The files of a message stay where they are when its words change. */
function withoutFiles({ limits }: Adapter, draft: Draft): Draft {
  if (limits.fileBytes === undefined || !draft.content.attachments) return draft
  const { attachments: _files, ...content } = draft.content
  return { ...draft, content }
}

/** Whether what one person alone may see can be tried where others are. */
export const isEphemeral = (adapter: Adapter, act: Act & { readonly do: 'send' }, place: Place): boolean =>
  adapter.sendEphemeral !== undefined && act.only !== undefined && act.secret !== true && !isNowhere(place)

/** With what it answers. Where there are no threads, what stands in one answers what opened it. */
function answering({ limits }: Adapter, content: Content, { replyTo, thread }: Way): Content {
  const answered = replyTo ?? (limits.threads ? undefined : thread)
  return answered === undefined ? content : { ...content, replyTo: answered }
}

/** What an act says as a message of its own; null when doing it twice does no harm. */
export function saidBy(adapter: Adapter, { act, place }: Delivery, way: Way): Act | null {
  // For one person alone nothing was said but what only they see here.
  if (act.do === 'send' && act.only !== undefined && !isEphemeral(adapter, act, place)) return null
  if (act.do === 'send') return { ...act, content: answering(adapter, act.content, way) }
  if (act.do !== 'edit' || (adapter.edit && way.target.length > 0)) return null
  const told = toldEdit(act)
  return told && { do: 'send', ...told }
}

/** Where an act is done: in its thread, where the platform has such. */
export function placeOn({ limits }: Adapter, { place }: Delivery, { thread }: Way): Place {
  const channel = channelOf(place)
  return limits.threads && thread !== undefined ? { ...channel, thread } : channel
}

/**
 * Does one act on its network. Resolves with the native ids of what was said, none for other acts. What is said, secrets
 * apart, reaches the adapter before this returns, so that the order of calls is kept.
 */
export async function perform(tools: Tools, delivery: Delivery, key: string, way: Way): Promise<readonly MessageId[]> {
  const { adapter } = tools
  const { act } = delivery
  const place = placeOn(adapter, delivery, way)
  if (act.do === 'send') return say(tools, { ...delivery, place }, act, key, way)
  const { target } = way
  const [first] = target
  if (act.do === 'edit') {
    if (!adapter.edit || !first) {
      const told = toldEdit(act)
      return told ? adapter.send(place, told, key) : []
    }
    return adapter.edit(place, target, withoutFiles(adapter, act.draft), key)
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

/** Charts are drawn when the words are out: they say the same, and take their time. */
function withoutCharts({ attachments = [], ...words }: Content): Content & { readonly charts: readonly Attachment[] } {
  const files = attachments.filter(({ chart }) => chart === undefined)
  const charts = attachments.filter(({ chart }) => chart !== undefined)
  return { ...words, ...(files.length === 0 ? {} : { attachments: files }), charts }
}

/** So often, and for so long, a message is tried with its files: then its words, and all behind them, wait no longer. */
const mostTries = 8
const patienceMs = 600_000
const isTired = ({ attempts, createdMs }: Delivery): boolean =>
  attempts >= mostTries && Date.now() - createdMs > patienceMs

/** Who awaits the words hears why they are not out. */
const noWords = (): void => undefined

async function say(
  { adapter, vault, files }: Tools,
  delivery: Delivery,
  act: Act & { readonly do: 'send' },
  key: string,
  way: Way,
): Promise<readonly MessageId[]> {
  const { place, source, createdMs } = delivery
  const { do: _do, replySeq: _reply, threadSeq: _thread, asideSeq: _aside, dated: _dated, ...draft } = act
  if (draft.secret && (await adapter.secure?.(place)) === false) throw insecure()
  const { content: whole, ...ready } = openDraft(vault, draft)
  const { charts, ...content } = withoutCharts(whole)
  const said = answering(adapter, content, way)
  const send = (out: Draft): Promise<readonly MessageId[]> => {
    const { only, ...open } = out
    if (only === undefined) return adapter.send(place, open, key)
    return adapter.sendEphemeral?.(place, only, open, key) ?? Promise.reject(noWay())
  }
  if (!said.attachments) {
    const sent = send({ ...ready, content: said })
    if (charts.length > 0) void sent.then(() => files.follow(adapter, delivery, charts), noWords)
    return sent
  }
  const { attachments: _files, ...words } = said
  const { uploads, words: left } = await files.ready(adapter, content, { source, createdMs, place })
  const shown = left.length === 0 ? words : { ...words, attachments: left }
  const saying = { ...ready, content: shown }
  // A picture behind words that are out: they say the same.
  const isExtra = shown.segments.length === 0 && left.length === 0 && !content.attachments?.some(isNeeded)
  if (uploads.length === 0) return isExtra ? [] : send(saying)
  // Words are not lost for a file that a platform does not take: first goes what says the same as they, then all are named.
  const needed = uploads.filter(isNeeded)
  const some = needed.length === 0 || needed.length === uploads.length ? [uploads] : [uploads, needed]
  for (const sent of isTired(delivery) ? [] : some) {
    try {
      return await send({ ...saying, uploads: sent })
    } catch (error) {
      if (!isRefusal(error)) throw error
    }
  }
  if (isExtra) return []
  const named = [...left, ...(await files.named(needed))]
  return send({ ...ready, content: named.length === 0 ? words : { ...words, attachments: named } })
}
