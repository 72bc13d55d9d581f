import { Readable } from 'node:stream'
import type { Found } from '../../core/adapter.ts'
import { asChanopError, ChanopError } from '../../core/error.ts'
import type { Act, Draft, MessageId, Place, Reaction, Upload } from '../../core/event.ts'
import { deadline, sleep } from '../../core/retry.ts'
import type { Api } from './api.ts'
import type { Chats, Native } from './chats.ts'
import { type Doubts, probed } from './doubts.ts'
import { ApiError, isApiError } from './fault.ts'
import type { Message } from './native.ts'
import { clean, type Rich } from './out/rich.ts'
import { labelled, type Medium, type Step, stepsOf, textsOf } from './out/steps.ts'
import type { Pace } from './pace.ts'
import { Recent } from './recent.ts'

export interface DeliveryOptions {
  readonly api: Api
  readonly chats: Chats
  readonly pace: Pace
  readonly doubts: Doubts
  /** Aborts when we stop. */
  readonly signal: AbortSignal
  /** A message of ours is there. */
  said(native: Native): void
  /** A group has another id from now on. */
  moved(from: number, to: number): void
}

/** What is out of a delivery, and which step nobody knows of. */
export interface Progress {
  readonly ids: MessageId[]
  /** Those that are done, and all there are. */
  step: number
  steps: number
}

/** A wait that is not worth the ledger's while. */
const shortMs = 3000
const uploadMs = 300_000
const mostBegun = 1000
const mostFiles = 5000
const gone = /message to (delete|edit) not found|message identifier is not specified|MESSAGE_ID_INVALID/i
const unchanged = /message is not modified/i
const noText = /there is no text in the message/i
const badEntities = /entit|ENTITY|can't parse/

const noPreview = { is_disabled: true }

/** Says, changes and takes back what is ours: one request after the other in each chat. */
export class Delivery {
  readonly #o: DeliveryOptions
  /** The tail of what is under way, by chat. */
  readonly #lanes = new Map<number, Promise<unknown>>()
  readonly begun = new Recent<string, Progress>(mostBegun)
  /** Messages of ours that are files, as `chat/message`. */
  readonly #files = new Recent<string, true>(mostFiles)
  /** What of ours is shown on a message, newest last: Telegram shows one alone. */
  readonly #reactions = new Recent<string, readonly string[]>(mostFiles)

  constructor(options: DeliveryOptions) {
    this.#o = options
  }

  // ---- saying -----------------------------------------------------------------------------------------------------

  async send(place: Place, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    const steps = stepsOf(draft)
    return this.#inChat(place, async chatId => {
      const progress = this.begun.get(deliveryId) ?? { ids: [], step: 0, steps: 0 }
      this.begun.set(deliveryId, progress)
      progress.steps = steps.length
      const begunAt = progress.step
      for (const step of steps.slice(begunAt)) {
        const label = draft.repeat === true && progress.step === begunAt
        const how = { label, replyTo: draft.content.replyTo, first: progress.step === 0 }
        const newest = this.#o.doubts.newest(chatId)
        try {
          progress.ids.push(...(await this.#step(chatId, place, step, how)))
        } catch (thrown) {
          const messages = step.kind === 'text' ? 1 : step.files.length
          if (asChanopError(thrown).code === 'network-down') this.#o.doubts.doubt(deliveryId, chatId, newest, messages)
          throw thrown
        }
        progress.step++
      }
      this.begun.delete(deliveryId)
      return progress.ids
    })
  }

  /** What became of a delivery that got no answer, while we remember what we asked. */
  find(place: Place, deliveryId: string, act: Act): Promise<Found> {
    return this.#inChat(place, async chatId => {
      const progress = this.begun.get(deliveryId)
      if (!progress || act.do !== 'send') return 'cannot-tell'
      const found = await this.#o.doubts.resolve(deliveryId, native => this.#probe(native))
      if (!found) return 'cannot-tell'
      for (const messageId of found) progress.ids.push(this.#known({ chatId, messageId }))
      progress.step++
      if (progress.step < progress.steps) return 'not-sent'
      this.begun.delete(deliveryId)
      return progress.ids
    })
  }

  async #probe({ chatId, messageId }: Native): Promise<'ours' | 'foreign' | 'none'> {
    try {
      await this.#call('editMessageReplyMarkup', chatId, { chat_id: chatId, message_id: messageId })
      return 'ours'
    } catch (thrown) {
      return probed(thrown)
    }
  }

  /** The id of a message of ours. */
  #known(native: Native): MessageId {
    this.#o.said(native)
    this.#o.doubts.know(native)
    return this.#o.chats.messageId(native.chatId, native.messageId)
  }

  async #step(
    chatId: number,
    place: Place,
    step: Step,
    how: { readonly label: boolean; readonly replyTo: MessageId | undefined; readonly first: boolean },
  ): Promise<MessageId[]> {
    const where = { chat_id: chatId, ...this.#address(chatId, place, how.first ? how.replyTo : undefined) }
    const sent =
      step.kind === 'text'
        ? [await this.#text('sendMessage', chatId, where, how.label ? labelled(step.rich) : step.rich)]
        : await this.#upload(chatId, where, { ...step, label: how.label })
    return sent.map(({ message_id }) => {
      if (step.kind === 'files') this.#files.set(`${chatId}/${message_id}`, true)
      return this.#known({ chatId, messageId: message_id })
    })
  }

  /** Topic and message that are answered. A thread that is no topic is one of answers: Telegram keeps those together. */
  #address(chatId: number, place: Place, replyTo: MessageId | undefined): object {
    const { chats } = this.#o
    const native = (id: MessageId | undefined): number | undefined => {
      const found = id === undefined ? null : chats.native(place, id)
      return found?.chatId === chatId ? found.messageId : undefined
    }
    const thread = native(place.thread)
    const topic = thread !== undefined && chats.known(chatId)?.forum === true
    const answered = native(replyTo) ?? (topic ? undefined : thread)
    return {
      ...(topic ? { message_thread_id: thread } : {}),
      ...(answered === undefined
        ? {}
        : { reply_parameters: { message_id: answered, allow_sending_without_reply: true } }),
    }
  }

  /** A text as Telegram takes it; one whose entities it does not like goes without them. */
  async #text(method: string, chatId: number, where: object, { text, entities }: Rich): Promise<Message> {
    const said = { ...where, text, link_preview_options: noPreview }
    try {
      return await this.#call<Message>(method, chatId, entities.length === 0 ? said : { ...said, entities })
    } catch (thrown) {
      if (entities.length === 0 || !isApiError(thrown, badEntities)) throw thrown
      return await this.#call<Message>(method, chatId, said)
    }
  }

  // ---- files ------------------------------------------------------------------------------------------------------

  async #upload(
    chatId: number,
    where: object,
    step: Extract<Step, { kind: 'files' }> & { readonly label: boolean },
  ): Promise<readonly Message[]> {
    try {
      return await this.#sendFiles(chatId, where, step, step.medium)
    } catch (thrown) {
      // It calls itself a picture or film, and is none for Telegram.
      const odd = step.medium !== 'document' && isApiError(thrown, /photo|image|video|animation|audio|media|file/i)
      if (!odd) throw thrown
      return this.#sendFiles(chatId, where, step, 'document')
    }
  }

  async #sendFiles(
    chatId: number,
    where: object,
    { files, caption, label }: Extract<Step, { kind: 'files' }> & { readonly label: boolean },
    medium: Medium,
  ): Promise<readonly Message[]> {
    const shown = label ? labelled(caption ?? { text: '', entities: [] }) : caption
    const words = shown ? { caption: shown.text, caption_entities: shown.entities } : {}
    const options = { deadlineMs: uploadMs }
    if (files.length > 1) {
      const media = files.map((file, n) => ({ type: medium, media: source(file), ...(n === 0 ? words : {}) }))
      return this.#call<readonly Message[]>('sendMediaGroup', chatId, { ...where, media }, options)
    }
    const [file] = files
    if (!file) return []
    const method = `send${medium.slice(0, 1).toUpperCase()}${medium.slice(1)}`
    return [await this.#call<Message>(method, chatId, { ...where, ...words, [medium]: source(file) }, options)]
  }

  // ---- changing and taking back -----------------------------------------------------------------------------------

  async edit(
    place: Place,
    target: readonly MessageId[],
    draft: Draft,
    deliveryId: string,
  ): Promise<readonly MessageId[]> {
    const texts = textsOf(draft)
    if (texts.length === 0) throw new ChanopError('send-refused', 'there is nothing in it that Telegram could show')
    return this.#inChat(place, async chatId => {
      const ids: MessageId[] = []
      const rest = [...texts]
      for (const id of target) {
        const native = this.#o.chats.native(place, id)
        const next = rest[0]
        const kept = next ? await this.#rewrite(native, next, ids.length === 0) : await this.#dropText(native)
        if (kept === 'text' && next) rest.shift()
        if (kept !== 'gone') ids.push(id)
      }
      const progress = this.begun.get(deliveryId) ?? { ids: [], step: 0, steps: 0 }
      this.begun.set(deliveryId, progress)
      for (const rich of rest.slice(progress.step)) {
        progress.ids.push(
          ...(await this.#step(
            chatId,
            place,
            { kind: 'text', rich },
            { label: false, replyTo: undefined, first: false },
          )),
        )
        progress.step++
      }
      this.begun.delete(deliveryId)
      return [...ids, ...progress.ids]
    })
  }

  /** Gives a message its new words: `text` when it took them, `file` when it is a file and stays as it is. */
  async #rewrite(native: Native, rich: Rich, first: boolean): Promise<'text' | 'file'> {
    const { chatId, messageId } = native
    const where = { chat_id: chatId, message_id: messageId }
    try {
      if (!this.#files.has(`${chatId}/${messageId}`)) {
        await this.#text('editMessageText', chatId, where, rich)
        return 'text'
      }
    } catch (thrown) {
      if (isApiError(thrown, unchanged)) return 'text'
      if (!isApiError(thrown, noText)) throw thrown
      this.#files.set(`${chatId}/${messageId}`, true)
    }
    if (!first || rich.text.length > 1024) return 'file'
    const caption = { ...where, caption: rich.text, caption_entities: rich.entities }
    await this.#call('editMessageCaption', chatId, caption).catch((thrown: unknown) => {
      if (!isApiError(thrown, unchanged)) throw thrown
    })
    return 'text'
  }

  /** A part for which there are no words any more goes; a file stays. */
  async #dropText(native: Native): Promise<'gone' | 'file'> {
    const { chatId, messageId } = native
    if (this.#files.has(`${chatId}/${messageId}`)) return 'file'
    try {
      await this.#call('editMessageText', chatId, { chat_id: chatId, message_id: messageId, text: '…' })
    } catch (thrown) {
      if (isApiError(thrown, noText)) return 'file'
      if (!isApiError(thrown, gone) && !isApiError(thrown, unchanged)) throw thrown
    }
    await this.#delete(native)
    return 'gone'
  }

  remove(place: Place, target: readonly MessageId[]): Promise<void> {
    return this.#inChat(place, async () => {
      for (const id of target) await this.#delete(this.#o.chats.native(place, id))
    })
  }

  async #delete({ chatId, messageId }: Native): Promise<void> {
    try {
      await this.#call('deleteMessage', chatId, { chat_id: chatId, message_id: messageId })
    } catch (thrown) {
      if (!isApiError(thrown, gone)) throw thrown
    }
  }

  react(place: Place, target: MessageId, { emoji, removed }: Reaction): Promise<void> {
    return this.#inChat(place, async () => {
      const { chatId, messageId } = this.#o.chats.native(place, target)
      const key = `${chatId}/${messageId}`
      // Telegram's own hearts are without what makes them coloured elsewhere.
      const sign = emoji.replaceAll('\ufe0f', '')
      const others = (this.#reactions.get(key) ?? []).filter(shown => shown !== sign)
      const shown = removed ? others : [...others, sign]
      const reaction = shown.slice(-1).map(each => ({ type: 'emoji', emoji: each }))
      try {
        await this.#call('setMessageReaction', chatId, { chat_id: chatId, message_id: messageId, reaction })
      } catch (thrown) {
        if (!isApiError(thrown, /REACTION_INVALID|REACTION_NOT_ALLOWED|reaction/i)) throw thrown
        throw new ChanopError('unsupported', `Telegram has no reaction ${sign}, or this chat does not allow it`)
      }
      this.#reactions.set(key, shown)
    })
  }

  // ---- one after the other ----------------------------------------------------------------------------------------

  #inChat<T>(place: Place, work: (chatId: number) => Promise<T>): Promise<T> {
    const chatId = this.#o.chats.chatId(place.channel)
    const done = (this.#lanes.get(chatId) ?? Promise.resolve()).then(() => work(this.#o.chats.chatId(place.channel)))
    const tail = done.then(
      () => undefined,
      () => undefined,
    )
    this.#lanes.set(chatId, tail)
    void tail.then(() => {
      if (this.#lanes.get(chatId) === tail) this.#lanes.delete(chatId)
    })
    return done
  }

  /** One request, when this chat may have it. What would have to wait for long goes back to the ledger. */
  async #call<T>(method: string, chatId: number, payload: object, options: { deadlineMs?: number } = {}): Promise<T> {
    const { api, chats, pace, signal } = this.#o
    for (;;) {
      const waitMs = pace.waitMs(chatId, chats.isGroup(chatId), Date.now())
      if (waitMs > shortMs)
        throw new ChanopError('send-later', 'Telegram takes no more in this chat now.', { afterMs: waitMs })
      if (waitMs === 0) break
      await sleep(waitMs, signal)
      if (signal.aborted) throw new ChanopError('send-later', 'we are stopping')
    }
    pace.note(chatId, Date.now())
    try {
      return await api.call<T>(method, payload, { signal: deadline(options.deadlineMs ?? 60_000), ...options })
    } catch (thrown) {
      this.#learn(chatId, thrown)
      throw thrown
    }
  }

  #learn(chatId: number, thrown: unknown): void {
    if (!(thrown instanceof ApiError)) return
    if (thrown.afterMs !== undefined) this.#o.pace.hold(chatId, Date.now() + thrown.afterMs)
    if (thrown.movedTo === undefined) return
    this.#o.moved(chatId, thrown.movedTo)
    throw new ChanopError('send-later', 'the group has a new id on Telegram; it is said there', { afterMs: 1 })
  }
}

/** A file as the library streams it; its name can't end the header that it stands in. */
const source = (file: Upload): { source: Readable; filename: string } => ({
  source: Readable.from(file.open()),
  filename:
    clean(file.name)
      .replace(/["\\\n\t/]/g, '_')
      .slice(0, 120) || 'file',
})
