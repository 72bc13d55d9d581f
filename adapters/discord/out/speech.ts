import { createHash } from 'node:crypto'
import { type APIMessage, RESTJSONErrorCodes as errors } from 'discord.js'
import type { Found } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import type { Act, Draft, MessageId, Place, Upload } from '../../../core/event.ts'
import type { Log } from '../../../core/log.ts'
import { Lanes } from '../../../core/process/lanes.ts'
import { Recent } from '../../../core/recent.ts'
import { type Directory, isNewer, snowflakeMs } from '../guild/directory.ts'
import { isOurs, type Reader } from '../inbound.ts'
import type { Look } from '../text/render.ts'
import type { Api } from '../wire/api.ts'
import { isRefused, Refused } from '../wire/faults.ts'
import { Changes } from './changes.ts'
import { compose, nothing, nothingShown, onlyThese, type Post, webhookName } from './compose.ts'
import { attached, mostFiles, rawFiles, type SentFile } from './files.ts'
import type { Quotes } from './quotes.ts'
import type { Saying } from './saying.ts'
import type { SentBook } from './sent.ts'
import { type Target, type Threads, threadName } from './threads.ts'
import type { Hook, Webhooks } from './webhooks.ts'

/** An interaction's token is good for so long: what it answered stands in the history no later. */
const answeredMs = 15 * 60_000
const isThinking = 1 << 7
const mostAdding = 200

export interface SpeechOptions {
  readonly api: Api
  readonly directory: Directory
  readonly reader: Reader
  readonly threads: Threads
  readonly webhooks: Webhooks
  readonly quotes: Quotes
  readonly sent: SentBook
  readonly instance: string
  readonly log: Log
}

/** What we say. What is done to it later is `changes`. */
export class Speech {
  readonly #o: SpeechOptions
  readonly #lanes = new Lanes<string>()
  /** Messages for texts that grew whose answer may have been lost: what is there by their nonce has the words of then. */
  readonly #adding = new Recent<string, true>(mostAdding)
  readonly changes: Changes

  constructor(options: SpeechOptions) {
    this.#o = options
    this.changes = new Changes({
      ...options,
      lanes: this.#lanes,
      look: target => this.#look(target),
      saying: (target, draft, deliveryId) => this.#saying(target, draft, deliveryId),
      add: (saying, post, part) => this.#added(saying, post, part),
    })
  }

  async send(place: Place, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    return this.#lanes.run(this.#o.threads.at(place).channel, async () => {
      const target = await this.#o.threads.open(place)
      const saying = await this.#saying(target, draft, deliveryId)
      if (saying.posts.length === 0 && (draft.uploads ?? []).length === 0) throw nothingShown()
      return this.#say(saying)
    })
  }

  async #saying(target: Target, draft: Draft, deliveryId: string): Promise<Saying> {
    const hook = draft.as?.relayed ? await this.#o.webhooks.of(target.parent) : null
    const replyTo = draft.content.replyTo ?? target.instead ?? null
    const quote = hook && replyTo !== null ? await this.#o.quotes.of(target.channel, replyTo) : null
    const named = draft.as?.relayed === true && !hook
    const posts = compose(draft, { look: this.#look(target), named, quote })
    return { target, deliveryId, draft, hook, posts, replyTo: hook ? null : replyTo }
  }

  #look({ parent }: Target): Look {
    const guild = this.#o.directory.guilds.get(this.#o.directory.channels.get(parent)?.guild ?? '')
    return { emoji: name => guild?.emoji.get(name) ?? null }
  }

  async #say(saying: Saying): Promise<readonly MessageId[]> {
    const { sent } = this.#o
    const { target, deliveryId, draft } = saying
    const messages = await this.#messages(saying.posts, draft.uploads ?? [])
    await sent.open(target.channel, () => this.#newest(target.channel))
    const ids = [...((await sent.entry(target.channel, deliveryId))?.ids ?? [])]
    for (const [at, message] of messages.entries()) {
      if (at < ids.length) continue
      const id = await this.#post(this.#behind(saying, ids[0]), message, at)
      this.changes.note(id, saying.hook !== null)
      await sent.landed(target.channel, deliveryId, id, messages.length)
      ids.push(id)
    }
    return ids as string[] as MessageId[]
  }

  /** In a forum what goes on goes on in the thread that its first message opened. */
  #behind(saying: Saying, first: string | undefined): Saying {
    const { channel } = saying.target
    const isBegun = first !== undefined && this.#o.threads.isForum(channel)
    return isBegun ? { ...saying, target: { channel: first, parent: channel, thread: first } } : saying
  }

  /** The words, and the files with the last of them: ten to a message. */
  async #messages(posts: readonly Post[], uploads: readonly Upload[]): Promise<{ post: Post; files: SentFile[] }[]> {
    const files = await rawFiles(uploads)
    const messages = posts.map((post, at) => ({
      post,
      files: at === posts.length - 1 ? files.splice(0, mostFiles) : [],
    }))
    while (files.length > 0) messages.push({ post: nothing, files: files.splice(0, mostFiles) })
    return messages
  }

  /** Where the history of a channel stands now. */
  async #newest(channel: string): Promise<string> {
    try {
      const [newest] = await this.#o.api.get<APIMessage[]>(`/channels/${channel}/messages`, { query: { limit: 1 } })
      return newest?.id ?? channel
    } catch (error) {
      // Who may not read may still speak; nothing can be found there again.
      if (error instanceof Refused && error.refusal.status !== 401) return channel
      throw error
    }
  }

  async #post(
    saying: Saying,
    { post, files }: { post: Post; files: readonly SentFile[] },
    at: number,
  ): Promise<string> {
    const { target, hook, draft } = saying
    const body = {
      ...(post.content === '' ? {} : { content: post.content }),
      allowed_mentions: onlyThese(post.users, draft.everyone === true),
      ...attached(files),
    }
    const sending = files.length === 0 ? {} : { files }
    if (hook) return this.#postAs(saying, hook, body, sending)
    const replying = at === 0 && saying.replyTo !== null ? { message_reference: reference(saying.replyTo) } : {}
    const key = { nonce: this.#nonce(saying, at), enforce_nonce: true }
    const silent = draft.content.style === 'notice' ? { flags: 1 << 12 } : {}
    if (this.#o.threads.isForum(target.channel)) return this.#postThread(target, body, sending)
    const whole = { ...body, ...replying, ...key, ...silent }
    const { id } = await this.#o.api.post<APIMessage>(`/channels/${target.channel}/messages`, {
      body: whole,
      ...sending,
    })
    return id
  }

  /** In a forum everything stands in a thread: what has none begins one. */
  async #postThread(target: Target, message: { content?: string }, sending: object): Promise<string> {
    const name = nameOfPost(message)
    const made = await this.#o.api.post<{ id: string }>(`/channels/${target.channel}/threads`, {
      body: { name, message },
      ...sending,
    })
    return made.id
  }

  async #postAs({ target, draft }: Saying, hook: Hook, body: { content?: string }, sending: object): Promise<string> {
    const as = draft.as
    const whole = {
      ...body,
      username: webhookName(as?.name ?? ''),
      ...(as?.avatar?.startsWith('https://') ? { avatar_url: as.avatar } : {}),
      ...(this.#o.threads.isForum(target.channel) ? { thread_name: nameOfPost(body) } : {}),
    }
    const query = { wait: true, ...(target.thread === undefined ? {} : { thread_id: target.thread }) }
    const send = ({ id, token }: Hook): Promise<APIMessage> =>
      this.#o.api.post<APIMessage>(`/webhooks/${id}/${token}`, { body: whole, ...sending, query, auth: false })
    try {
      return (await send(hook)).id
    } catch (error) {
      if (!isRefused(error, errors.UnknownWebhook, errors.InvalidWebhookToken)) throw error
      // Somebody deleted it: nothing was said. Another is made, where that can be.
      this.#o.webhooks.forget(target.parent)
      const again = await this.#o.webhooks.of(target.parent)
      if (!again) throw new ChanopError('send-later', 'the webhook of this channel is gone; said by name from now on')
      return (await send(again)).id
    }
  }

  #nonce({ target, deliveryId }: Saying, at: number): string {
    const fact = [this.#o.instance, this.#o.reader.network, target.channel, deliveryId, at].join('\n')
    return createHash('sha256').update(fact).digest('base64url').slice(0, 24)
  }

  /** What became of a delivery, by what stands in the history behind the last that is known. */
  async find(place: Place, deliveryId: string, act: Act): Promise<Found> {
    if (act.do !== 'send') return 'cannot-tell'
    const target = this.#o.threads.at(place)
    return this.#lanes.run(target.channel, () => this.#find(target, deliveryId, act))
  }

  async #find(target: Target, deliveryId: string, act: Act & { readonly do: 'send' }): Promise<Found> {
    const { sent } = this.#o
    const known = await sent.entry(target.channel, deliveryId)
    if (known && known.ids.length >= known.parts) return known.ids as string[] as MessageId[]
    const after = await sent.after(target.channel)
    // Nothing was ever sent there: a page is opened before the first.
    if (after === null) return this.#unlessAnswered(target, act)
    const found = await this.#after(target.channel, after, message => this.#isSaid(message))
    if (found === null) return 'cannot-tell'
    const parts = known?.parts ?? (await this.#partsOf(target, act, deliveryId))
    const taken = await sent.taken(target.channel)
    const fresh = found.filter(id => !taken.has(id)).slice(0, parts - (known?.ids.length ?? 0))
    for (const id of fresh) await sent.landed(target.channel, deliveryId, id, parts)
    const ids = [...(known?.ids ?? []), ...fresh]
    if (ids.length === 0) return this.#unlessAnswered(target, act)
    return ids.length >= parts ? (ids as string[] as MessageId[]) : 'not-sent'
  }

  /** Whoever answers a command may have done so by its token: of such an answer nothing tells which delivery it was. */
  async #unlessAnswered({ channel }: Target, { content, as }: Draft): Promise<'not-sent' | 'cannot-tell'> {
    const { replyTo } = content
    if (replyTo === undefined || as?.relayed) return 'not-sent'
    const isAnswer = ({ webhook_id, flags, interaction_metadata: to }: APIMessage): boolean =>
      webhook_id === this.#o.directory.application &&
      ((flags ?? 0) & isThinking) === 0 &&
      (to?.id ?? replyTo) === replyTo
    const found = await this.#after(channel, replyTo, isAnswer, snowflakeMs(replyTo) + answeredMs)
    return found?.length === 0 ? 'not-sent' : 'cannot-tell'
  }

  async #partsOf(target: Target, act: Act & { readonly do: 'send' }, deliveryId: string): Promise<number> {
    const saying = await this.#saying(target, act, deliveryId).catch(() => null)
    const files = act.content.attachments?.length ?? 0
    return Math.max(1, saying?.posts.length ?? 1, Math.ceil(files / mostFiles))
  }

  /** Some of the messages behind one, oldest first, up to a time at least; null when the history can't be read. */
  async #after(
    channel: string,
    after: string,
    isMeant: (message: APIMessage) => boolean,
    untilMs = Number.POSITIVE_INFINITY,
  ): Promise<string[] | null> {
    const ids: string[] = []
    try {
      for (let from = after; ; ) {
        const query = { after: from, limit: 100 }
        const page = await this.#o.api.get<APIMessage[]>(`/channels/${channel}/messages`, { query })
        page.sort((a, b) => (isNewer(a.id, b.id) ? 1 : -1))
        ids.push(...page.filter(isMeant).map(({ id }) => id))
        from = page.at(-1)?.id ?? from
        if (page.length < 100 || snowflakeMs(from) > untilMs) return ids
      }
    } catch (error) {
      if (error instanceof Refused && error.refusal.status !== 401) return null
      throw error
    }
  }

  /** Said by us as a message: answers to commands are told apart by the webhook of the application itself. */
  #isSaid(message: APIMessage): boolean {
    return isOurs(this.#o.reader, message) && message.webhook_id !== (this.#o.directory.application ?? '')
  }

  /** One more message for a text that grew, however often it is tried. */
  async #added(saying: Saying, post: Post, part: number): Promise<string> {
    const { sent } = this.#o
    const { target, deliveryId } = saying
    const key = `${deliveryId}.${part}`
    await sent.open(target.channel, () => this.#newest(target.channel))
    const known = (await sent.entry(target.channel, key))?.ids.at(-1)
    // It reads as the text did when it was said, and may have been taken away since.
    if (known !== undefined && (await this.changes.reword(saying, known, post))) return known
    const nonce = known === undefined ? key : `${key}.${known}`
    const isRepeated = this.#adding.has(nonce)
    this.#adding.set(nonce, true)
    const id = await this.#post({ ...saying, deliveryId: nonce }, { post, files: [] }, 0)
    this.changes.note(id, saying.hook !== null)
    await sent.landed(target.channel, key, id, 1)
    if (isRepeated) await this.changes.reword(saying, id, post)
    this.#adding.delete(nonce)
    return id
  }
}

const nameOfPost = ({ content = '' }: { readonly content?: string }): string =>
  threadName(content.split('\n')[0] ?? '') || 'Post'

const reference = (id: string) => ({ message_id: id, fail_if_not_exists: false })
