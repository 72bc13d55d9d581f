import type { Found } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import {
  type Act,
  type Attachment,
  type Draft,
  isNeeded,
  type MessageId,
  type Place,
  type Reaction,
  type UserId,
} from '../../../core/event.ts'
import { Recent } from '../../../core/recent.ts'
import { sleep } from '../../../core/retry.ts'
import type { SlackChannels } from '../channels.ts'
import { metadataType } from '../in/events.ts'
import type { Answers } from '../in/slash.ts'
import type { Api } from '../link/api.ts'
import { advice, asSendError, Fault, isChannelFault, isLoginFault, isRefused } from '../link/fault.ts'
import { isTs, list, type Native, num, part, str } from '../native.ts'
import { emojiName } from '../text/emoji.ts'
import { type Dress, faceOf, labelOf, type Post, postsOf, threadFor } from './posts.ts'
import type { Uploads } from './uploads.ts'

const pageSize = 200
/** How far back a delivery is looked for. */
const mostPages = 10
const mostKept = 2000
/** A request whose answer was lost may still be on its way: history is asked after that. */
const settleMs = 1000
const fileAgainMs = 4000

export interface SpeakerOptions {
  readonly api: Api
  readonly channels: SlackChannels
  readonly uploads: Uploads
  readonly instance: string
  readonly signal: AbortSignal
  readonly dress: Dress
  readonly answers: Answers
  /** Slack refuses our login: nothing more can be said. */
  refused(fault: Fault): void
}

type Ids = readonly MessageId[]

/** Says things: every act of the bridge, in Slack's calls. */
export class Speaker {
  readonly #o: SpeakerOptions
  /** Parts of a delivery that are out although the rest is not: `send` goes on behind them. */
  readonly #begun = new Recent<string, MessageId[]>(mostKept)
  readonly #removed = new Recent<string, true>(mostKept)
  /** When the answer to a delivery was lost, Unix ms. */
  readonly #lostMs = new Recent<string, number>(mostKept)

  constructor(options: SpeakerOptions) {
    this.#o = options
  }

  removedByUs(channel: string, ts: string): boolean {
    return this.#removed.has(`${channel} ${ts}`)
  }

  async send(place: Place, draft: Draft, delivery: string): Promise<Ids> {
    const uploads = draft.uploads ?? []
    const posts = this.#postsOf(draft, delivery)
    if (posts.length === 0 && uploads.length === 0) throw nothing()
    return this.#attempt(place, delivery, async () => {
      // Files are the last part: words alone are not all of it.
      const ids = await this.#say(place, draft, delivery, posts, posts.length + Math.min(uploads.length, 1))
      return uploads.length === 0 ? ids : this.#share(place, draft, delivery, posts)
    })
  }

  /** Files that are words now that something is out stand behind what was said without them. */
  #postsOf(draft: Draft, delivery: string): Post[] {
    const { dress } = this.#o
    const { attachments = [], ...words } = draft.content
    if (draft.uploads?.length || attachments.length === 0 || !this.#begun.get(delivery)?.length)
      return postsOf(draft, dress)
    return [...postsOf({ ...draft, content: words }, dress), ...namesOf(draft, attachments, dress)]
  }

  /** Files that Slack refuses for good are words: what was said with them is said already. */
  async #share(place: Place, draft: Draft, delivery: string, posts: readonly Post[]): Promise<Ids> {
    const ids = this.#begun.get(delivery) ?? []
    try {
      const file = await this.#o.uploads.share(place, draft, delivery)
      return file === null ? ids : [...ids, file]
    } catch (error) {
      if (!isRefused(error) || isLoginFault(error) || isChannelFault(error)) throw error
      const names = namesOf(draft, (draft.uploads ?? []).filter(isNeeded), this.#o.dress)
      return this.#say(place, draft, delivery, [...posts, ...names])
    }
  }

  /** Posts what is not out yet. Once it has begun it waits itself: nobody else could go on in the middle. */
  #say(
    place: Place,
    draft: Draft,
    delivery: string,
    posts: readonly Post[],
    parts = posts.length,
  ): Promise<MessageId[]> {
    return this.#inParts(delivery, posts, async (post, part) => {
      const answer = await this.#post({
        channel: place.channel,
        ...post,
        ...threadFor(place.thread, draft),
        ...faceOf(draft, this.#o.dress),
        ...labelOf(draft, delivery, this.#o.instance, { part, parts }),
        ...(draft.secret ? { unfurl_links: false, unfurl_media: false } : {}),
      })
      return str(answer, 'ts') as MessageId
    })
  }

  async #inParts(
    delivery: string,
    posts: readonly Post[],
    say: (post: Post, at: number) => Promise<MessageId>,
  ): Promise<MessageId[]> {
    const ids = this.#begun.get(delivery) ?? []
    for (let at = ids.length; at < posts.length; at = ids.length) {
      const post = posts[at] as Post
      ids.push(await (at === 0 ? say(post, at) : this.#patiently(() => say(post, at))))
      this.#begun.set(delivery, ids)
    }
    return [...ids]
  }

  async #post(args: Native): Promise<Native> {
    const answer = await this.#shown('chat.postMessage', args)
    if (!isTs(str(answer, 'ts'))) throw new Fault('unknown', 'chat.postMessage', { code: 'no ts' })
    return answer
  }

  /** What Slack can't show as blocks it gets as text. */
  async #shown(method: string, args: Native): Promise<Native> {
    try {
      return await this.#o.api.call(method, args)
    } catch (error) {
      if (!isRefused(error, 'invalid_blocks', 'invalid_blocks_format', 'msg_blocks_too_long')) throw error
      const { blocks: _blocks, ...rest } = args
      return this.#o.api.call(method, method === 'chat.update' ? { ...rest, blocks: [] } : rest)
    }
  }

  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof Fault) || error.kind !== 'limited' || this.#o.signal.aborted) throw error
        await sleep(error.afterMs ?? 1000, this.#o.signal)
      }
    }
  }

  async sendEphemeral(place: Place, user: UserId, draft: Draft, delivery: string): Promise<Ids> {
    const posts = postsOf(draft, this.#o.dress)
    if (posts.length === 0) throw nothing()
    return this.#attempt(place, delivery, () =>
      this.#inParts(delivery, posts, async post => {
        const args = {
          channel: place.channel,
          user,
          ...post,
          ...threadFor(place.thread, draft),
          ...faceOf(draft, this.#o.dress),
        }
        const answer = await this.#shown('chat.postEphemeral', args).catch(async (error: unknown) => {
          if (!isChannelFault(error) && !isRefused(error, 'user_not_in_channel', 'invalid_user')) throw error
          if (await this.#o.answers.say(place.channel, user, { ...post }, this.#o.signal)) return {}
          // All of it is said anew in their direct conversation.
          this.#begun.delete(delivery)
          throw elsewhere(error)
        })
        return `only-${str(answer, 'message_ts')}` as MessageId
      }),
    )
  }

  /** The new text may be longer or shorter: parts are added behind, or deleted. Files stay where they are. */
  async edit(place: Place, target: Ids, draft: Draft, delivery: string): Promise<Ids> {
    const posts = postsOf(draft, this.#o.dress)
    return this.#attempt(place, delivery, async () => {
      const { texts, files } = await this.#o.uploads.apart(place, target)
      if (posts.length === 0 && files.length === 0) throw nothing()
      const kept = posts.slice(0, texts.length)
      for (const [at, post] of kept.entries()) {
        await this.#shown('chat.update', { channel: place.channel, ts: texts[at] as string, ...post })
      }
      for (const id of texts.slice(posts.length)) await this.#delete(place, id)
      const more = posts.slice(texts.length)
      const added = more.length === 0 ? [] : await this.#add(place, target, draft, { delivery, more })
      return [...texts.slice(0, kept.length), ...added, ...files]
    })
  }

  async #add(
    place: Place,
    target: Ids,
    draft: Draft,
    { delivery, more }: { readonly delivery: string; readonly more: readonly Post[] },
  ): Promise<Ids> {
    const beside = await this.#beside(place, target[0])
    const before = await this.#recall(beside, target, draft, delivery)
    // They read as the text did when they were said.
    for (const [at, post] of more.slice(0, before.length).entries())
      await this.#shown('chat.update', { channel: place.channel, ts: before[at] as string, ...post })
    return this.#say(beside, draft, delivery, more)
  }

  /** Where a message stands: in the thread that it opened under what it answers, too. */
  async #beside(place: Place, id: MessageId | undefined): Promise<Place> {
    if (place.thread !== undefined || id === undefined) return place
    const message = await this.#o.uploads.message(place, id).catch((error: unknown) => {
      if (isRefused(error, 'missing_scope')) return {}
      throw error
    })
    const root = str(message, 'thread_ts')
    return isTs(root) && root !== id ? { ...place, thread: root as MessageId } : place
  }

  /** The parts that an edit added when it was tried before: those of its former texts are in the target. */
  async #recall(place: Place, target: Ids, draft: Draft, delivery: string): Promise<Ids> {
    const known = this.#begun.get(delivery)
    if (known) return known
    const { ids } = partsOf((await this.#parts(place.channel, rootOf(place, draft), delivery, target)) ?? [])
    if (ids.length > 0) this.#begun.set(delivery, ids)
    return ids
  }

  async remove(place: Place, target: Ids): Promise<void> {
    await this.#attempt(place, null, async () => {
      for (const id of target) await this.#delete(place, id)
    })
  }

  async #delete(place: Place, id: MessageId): Promise<void> {
    if (!isTs(id)) return
    this.#removed.set(`${place.channel} ${id}`, true)
    await this.#o.api.call('chat.delete', { channel: place.channel, ts: id }).catch((error: unknown) => {
      if (!isRefused(error, 'message_not_found')) throw error
    })
  }

  async react(place: Place, target: MessageId, { emoji, removed }: Reaction): Promise<void> {
    const name = emojiName(emoji)
    if (name === null) throw new ChanopError('unsupported', `Slack has no reaction ${emoji}`)
    if (!isTs(target)) throw new ChanopError('unsupported', 'nothing can be shown at a slash command')
    const args = { channel: place.channel, timestamp: target, name }
    const done = removed ? 'no_reaction' : 'already_reacted'
    await this.#attempt(place, null, async () => {
      await this.#o.api.call(removed ? 'reactions.remove' : 'reactions.add', args).catch((error: unknown) => {
        if (isRefused(error, 'invalid_name'))
          throw new ChanopError('unsupported', `this workspace has no emoji :${name}:`)
        if (!isRefused(error, done)) throw error
      })
    })
  }

  /** What Slack's history says of a delivery. Parts of it that are out are gone on behind. */
  async find(place: Place, delivery: string, act: Act): Promise<Found> {
    if (act.do !== 'send') return 'not-sent'
    if (act.only !== undefined) return 'cannot-tell'
    const lostMs = this.#lostMs.get(delivery)
    if (lostMs !== undefined) await sleep(lostMs + settleMs - Date.now(), this.#o.signal)
    try {
      const file = await this.#o.uploads.find(place, delivery)
      if (file !== null && act.content.segments.length === 0) return [file]
      const parts = await this.#parts(place.channel, rootOf(place, act), delivery)
      if (parts === null) return 'cannot-tell'
      const { ids, missing } = partsOf(parts)
      if (file !== null && (missing <= 1 || ids.length === 0)) return [...ids, file]
      if (missing === 0) return ids
      if (ids.length > 0) this.#begun.set(delivery, [...ids])
      return 'not-sent'
    } catch (error) {
      if (isChannelFault(error) || isRefused(error, 'missing_scope', 'thread_not_found')) return 'cannot-tell'
      throw asSendError(error)
    }
  }

  /** Its messages in the channel's history or a thread, but for those that are `known`; null when that is longer than we look. */
  async #parts(channel: string, thread: string, delivery: string, known: Ids = []): Promise<Native[] | null> {
    const { api, signal, instance } = this.#o
    const isMeant = (message: Native): boolean =>
      isPartOf(message, delivery, instance) && !known.includes(str(message, 'ts') as MessageId)
    const [method, args] = thread === '' ? ['history', { channel }] : ['replies', { channel, ts: thread }]
    const found: Native[] = []
    let looked = 0
    const some = { ...args, limit: pageSize, include_all_metadata: true }
    for await (const page of api.pages(`conversations.${method}`, some, signal, 5)) {
      const messages = list(page, 'messages')
      // What answers a message of a thread stands in that thread.
      const root = str(messages.find(message => str(message, 'ts') === thread) ?? {}, 'thread_ts')
      if (root !== '' && root !== thread) return this.#parts(channel, root, delivery, known)
      found.push(...messages.filter(isMeant))
      if (partsOf(found).missing === 0) return found
      if (++looked > mostPages) return found.length > 0 ? found : null
    }
    return found
  }

  /** Does it, and turns what goes wrong into what the bridge understands. */
  async #attempt<T>(place: Place, delivery: string | null, work: () => Promise<T>): Promise<T> {
    try {
      const done = await work()
      this.#o.channels.troubles.end(place.channel)
      if (delivery !== null) this.#begun.delete(delivery)
      return done
    } catch (thrown) {
      if (isLoginFault(thrown)) this.#o.refused(thrown)
      if (this.#o.dress.faces && isRefused(thrown, 'missing_scope') && thrown.needed.includes('chat:write.customize')) {
        this.#o.dress.faces = false
        throw new ChanopError('send-later', advice(thrown), { cause: thrown, afterMs: 1 })
      }
      if (isChannelFault(thrown)) this.#o.channels.trouble(place.channel, advice(thrown))
      throw delivery === null ? asSendError(thrown) : this.#failed(delivery, thrown)
    }
  }

  /** Of what is out in part nobody may say that it was not sent: a restart would begin it anew. */
  #failed(delivery: string, thrown: unknown): unknown {
    const begun = this.#begun.has(delivery)
    const error = asSendError(thrown)
    if (!(error instanceof ChanopError)) return error
    if (error.code !== 'network-down' && !(begun && error.code === 'send-later')) return error
    // A file that can not be read or uploaded is not tried at once, again and again.
    this.#lostMs.set(delivery, Date.now() + (thrown instanceof Fault ? 0 : fileAgainMs))
    return new ChanopError('network-down', error.message, { cause: thrown })
  }
}

const nothing = (): ChanopError => new ChanopError('send-refused', 'there is nothing to be shown in it')

const elsewhere = (fault: Fault): ChanopError => new ChanopError('unsupported', advice(fault), { cause: fault })

/** The thread in which a draft is said; empty when in none. */
const rootOf = ({ thread }: Place, draft: Draft): string => str(threadFor(thread, draft), 'thread_ts')

/** Files as words, in messages of their own. */
const namesOf = (draft: Draft, attachments: readonly Attachment[], dress: Dress): Post[] =>
  attachments.length === 0 ? [] : postsOf({ ...draft, content: { ...draft.content, segments: [], attachments } }, dress)

const payloadOf = (message: Native): Native => part(part(message, 'metadata'), 'event_payload')

function isPartOf(message: Native, delivery: string, instance: string): boolean {
  const payload = payloadOf(message)
  const type = str(part(message, 'metadata'), 'event_type')
  return type === metadataType && str(payload, 'delivery') === delivery && str(payload, 'instance') === instance
}

/** The first parts without a hole, and how many are missing behind them. */
function partsOf(messages: readonly Native[]): { ids: MessageId[]; missing: number } {
  const byPart = new Map(messages.map(message => [num(payloadOf(message), 'part') ?? -1, message]))
  const found: Native[] = []
  for (let at = 0; byPart.has(at); at++) found.push(byPart.get(at) as Native)
  // What was said last knows best how many there are.
  const parts = num(payloadOf(found.at(-1) ?? {}), 'parts') ?? 1
  return { ids: found.map(message => str(message, 'ts') as MessageId), missing: Math.max(0, parts - found.length) }
}
