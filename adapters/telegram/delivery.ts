import type { Able, Cursors, Found } from '../../core/adapter.ts'
import { asChanopError, ChanopError } from '../../core/error.ts'
import type { Act, Content, Draft, MessageId, Place, Reaction, Upload } from '../../core/event.ts'
import { Recent } from '../../core/recent.ts'
import { sleep } from '../../core/retry.ts'
import type { Chats, Native } from './chats.ts'
import { type Doubts, probed } from './doubts.ts'
import { ApiError, isApiError, PageError } from './fault.ts'
import type { Message } from './native.ts'
import { faceOf } from './out/face.ts'
import { type Rich, richOf } from './out/rich.ts'
import { captionUnits } from './out/split.ts'
import { labelled, type Medium, type Step, stepsOf, textsOf, wordsFor } from './out/steps.ts'
import type { Progress } from './progress.ts'
import { Reactions } from './reactions.ts'
import type { Requests } from './requests.ts'
import { Sources } from './sources.ts'

export interface DeliveryOptions {
  readonly requests: Requests
  readonly chats: Chats
  readonly cursors: Cursors
  readonly doubts: Doubts
  readonly signal: AbortSignal
  /** Resolves soon: nothing is shown of this delivery from now on that is not a message. */
  readonly unshown: (deliveryId: string) => Promise<void>
  /** A message of ours is there. */
  said(native: Native): void
}

/** How one request of a delivery is made. */
interface Manner {
  readonly label?: boolean
  readonly replyTo?: MessageId | undefined
}

const uploadMs = 300_000
const mostBegun = 1000
const mostFiles = 5000
const againMs = 1000
const fileAgainMs = 5000
const gone = /message to (delete|edit) not found|message identifier is not specified|MESSAGE_ID_INVALID/i
const unchanged = /message is not modified/i
const noText = /there is no text in the message/i
export const badEntities = /entit|can't parse|user not found|USER_|url/i

const noPreview = { is_disabled: true }

/** Says, changes and takes back what is ours: one request after the other in each chat. */
export class Delivery {
  readonly #o: DeliveryOptions
  readonly begun = new Recent<string, Progress>(mostBegun)
  /** Messages of ours that are files, as `chat/message`. */
  readonly #files = new Recent<string, true>(mostFiles)
  readonly #reactions: Reactions

  constructor(options: DeliveryOptions) {
    this.#o = options
    this.#reactions = new Reactions(options.cursors)
  }

  // ---- saying -----------------------------------------------------------------------------------------------------

  async send(place: Place, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    const progress = this.begun.get(deliveryId) ?? { ids: [], step: 0, steps: 0 }
    const steps = stepsFrom(draft, progress)
    return this.#o.requests.inChat(place, async () => {
      await this.#o.unshown(deliveryId)
      this.begun.set(deliveryId, progress)
      progress.steps = steps.length
      const begunAt = progress.step
      for (const step of steps.slice(begunAt)) {
        const label = draft.repeat === true && progress.step === begunAt
        const replyTo = progress.step === 0 ? draft.content.replyTo : undefined
        await this.#advance(place, deliveryId, progress, step, { label, replyTo })
      }
      this.begun.delete(deliveryId)
      return progress.ids
    })
  }

  /** Takes one step. In the middle of a delivery it waits itself: nobody who begins anew could go on behind what is out. */
  async #advance(place: Place, deliveryId: string, progress: Progress, step: Step, how: Manner): Promise<void> {
    const { chats, doubts, signal } = this.#o
    for (;;) {
      const chatId = chats.chatId(place.channel)
      const newest = doubts.newest(chatId)
      try {
        progress.ids.push(...(await this.#step(chatId, place, step, how)))
        progress.step++
        progress.doubtful = false
        return
      } catch (thrown) {
        const { code, afterMs } = asChanopError(thrown)
        const messages = step.kind === 'text' ? 1 : step.files.length
        if (code === 'network-down') {
          progress.doubtful = true
          // Where we may change what others said, what can be changed is not ours for that.
          if (chats.isEditedByAuthors(chatId)) doubts.doubt(deliveryId, chatId, newest, messages)
        }
        if (code !== 'send-later' || progress.step === 0) throw thrown
        // A file that can not be read is given up by and by: the ledger counts how often, and knows that something is out.
        if (step.kind === 'files' && afterMs === undefined) {
          progress.againMs = Date.now() + fileAgainMs
          throw new ChanopError('network-down', asChanopError(thrown).message, { cause: thrown })
        }
        await sleep(afterMs ?? againMs, signal)
        if (signal.aborted) throw new ChanopError('network-down', 'we are stopping in the middle of it')
      }
    }
  }

  /** What became of a delivery that got no answer, while we remember what we asked. */
  async find(place: Place, deliveryId: string, act: Act): Promise<Found> {
    const progress = this.begun.get(deliveryId)
    if (!progress || act.do !== 'send') return 'cannot-tell'
    if (progress.againMs !== undefined) await sleep(progress.againMs - Date.now(), this.#o.signal)
    return this.#o.requests.inChat(place, async chatId => {
      if (progress.doubtful && !(await this.#recover(chatId, deliveryId, progress))) return 'cannot-tell'
      if (progress.step < progress.steps) return 'not-sent'
      this.begun.delete(deliveryId)
      return progress.ids
    })
  }

  /** Finds what a step without an answer made. False: nobody can tell. */
  async #recover(chatId: number, deliveryId: string, progress: Progress): Promise<boolean> {
    const found = await this.#o.doubts.resolve(deliveryId, native => this.#probe(native))
    if (!found) return false
    for (const messageId of found) progress.ids.push(this.#known({ chatId, messageId }))
    progress.step++
    progress.doubtful = false
    return true
  }

  async #probe({ chatId, messageId }: Native): Promise<'ours' | 'foreign' | 'none'> {
    try {
      await this.#o.requests.call('editMessageReplyMarkup', chatId, { chat_id: chatId, message_id: messageId })
      return 'ours'
    } catch (thrown) {
      return probed(thrown)
    }
  }

  #known(native: Native): MessageId {
    this.#o.said(native)
    this.#o.doubts.know(native)
    return this.#o.chats.messageId(native.chatId, native.messageId)
  }

  async #step(chatId: number, place: Place, step: Step, { label = false, replyTo }: Manner): Promise<MessageId[]> {
    const where = { chat_id: chatId, ...this.#address(chatId, place, replyTo) }
    const sent =
      step.kind === 'text'
        ? [await this.#text('sendMessage', chatId, where, label ? labelled(step.rich) : step.rich)]
        : await this.#upload(chatId, where, { ...step, label })
    return sent.map(({ message_id, text }) => {
      if (text === undefined) this.#files.set(`${chatId}/${message_id}`, true)
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
      return await this.#o.requests.call<Message>(method, chatId, entities.length === 0 ? said : { ...said, entities })
    } catch (thrown) {
      if (entities.length === 0 || !isApiError(thrown, badEntities)) throw thrown
      return await this.#o.requests.call<Message>(method, chatId, said)
    }
  }

  // ---- files ------------------------------------------------------------------------------------------------------

  async #upload(
    chatId: number,
    where: object,
    step: Extract<Step, { kind: 'files' }> & { readonly label: boolean },
  ): Promise<readonly Message[]> {
    // What calls itself a picture or film may be none for Telegram, and some groups take no files at all.
    for (const medium of new Set([step.medium, 'document' as const])) {
      try {
        return await this.#sendFiles(chatId, where, step, medium)
      } catch (thrown) {
        // A page at an upload is that of a proxy which takes no file so large: it would answer so for ever.
        if (thrown instanceof PageError) continue
        if (!(thrown instanceof ApiError) || thrown.code !== 'send-refused' || thrown.status === 403) throw thrown
      }
    }
    const words = wordsFor(step)
    return [await this.#text('sendMessage', chatId, where, step.label ? labelled(words) : words)]
  }

  async #sendFiles(
    chatId: number,
    where: object,
    { files, caption, label }: Extract<Step, { kind: 'files' }> & { readonly label: boolean },
    medium: Medium,
  ): Promise<readonly Message[]> {
    const shown = label ? labelled(caption ?? { text: '', entities: [] }) : caption
    const words = shown ? { caption: shown.text, caption_entities: shown.entities } : {}
    const sources = new Sources()
    const options = { deadlineMs: uploadMs, signal: sources.broken }
    try {
      if (files.length > 1) {
        const media = files.map((file, n) => ({
          type: medium,
          media: sources.open(file),
          ...(n === 0 && shown ? words : captionOf(file)),
        }))
        return await this.#o.requests.call<readonly Message[]>('sendMediaGroup', chatId, { ...where, media }, options)
      }
      const [file] = files
      if (!file) return []
      const method = `send${medium.slice(0, 1).toUpperCase()}${medium.slice(1)}`
      const asked = { ...where, ...words, [medium]: sources.open(file) }
      return [await this.#o.requests.call<Message>(method, chatId, asked, options)]
    } catch (thrown) {
      throw sources.close() ?? thrown
    } finally {
      sources.close()
    }
  }

  // ---- changing and taking back -----------------------------------------------------------------------------------

  readonly edit: Able['edit'] = async (place, target, draft, deliveryId) => {
    const words = textsOf(draft)
    // Of words that are gone whose they were is left: a file says so.
    const texts = words.length === 0 ? [faceOf(draft)].filter(({ text }) => text !== '') : words
    if (texts.length === 0) throw new ChanopError('send-refused', 'there is nothing in it that Telegram could show')
    return this.#o.requests.inChat(place, async chatId => {
      const ids: MessageId[] = []
      const rest = [...texts]
      for (const id of target) {
        const native = this.#o.chats.native(place, id)
        const next = rest[0]
        const kept = next ? await this.#rewrite(native, next, ids.length === 0) : await this.#dropText(native)
        if (kept === 'text' && next) rest.shift()
        if (kept !== 'gone') ids.push(id)
      }
      if (rest.length === 0) return ids
      const adding = JSON.stringify([deliveryId, target])
      return [...ids, ...(await this.#add(chatId, place, rest, { deliveryId, adding }))]
    })
  }

  /** Says behind a message what has no room in it any more, however often that is tried. `adding`: the edit that this is, in any run. */
  async #add(
    chatId: number,
    place: Place,
    texts: readonly Rich[],
    { deliveryId, adding }: { readonly deliveryId: string; readonly adding: string },
  ): Promise<readonly MessageId[]> {
    const { cursors } = this.#o
    const known = this.begun.get(deliveryId)
    // Noted before anything of it is out: whoever finds it noted and knows no more may be saying it again.
    const repeat = !known && (await cursors.get(slot(place))) === adding
    if (!known && !repeat) await cursors.set(slot(place), adding)
    const progress = known ?? { ids: [], step: 0, steps: 0, doubtful: repeat }
    this.begun.set(deliveryId, progress)
    if (progress.doubtful) await this.#recover(chatId, deliveryId, progress)
    await this.#renew(place, texts, progress)
    for (const rich of texts.slice(progress.step)) {
      const label = progress.doubtful === true
      await this.#advance(place, deliveryId, progress, { kind: 'text', rich }, { label })
      if (label) progress.labelled = progress.step - 1
    }
    this.begun.delete(deliveryId)
    return progress.ids
  }

  /** What an earlier try added reads as the text did then. */
  async #renew(place: Place, texts: readonly Rich[], { ids, labelled: at }: Progress): Promise<void> {
    for (const [step, rich] of texts.slice(0, ids.length).entries()) {
      const native = this.#o.chats.native(place, ids[step] as MessageId)
      await this.#rewrite(native, step === at ? labelled(rich) : rich, false)
    }
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
    if (!first || rich.text.length > captionUnits) return 'file'
    const caption = { ...where, caption: rich.text, caption_entities: rich.entities }
    await this.#o.requests.call('editMessageCaption', chatId, caption).catch((thrown: unknown) => {
      if (!isApiError(thrown, unchanged)) throw thrown
    })
    return 'text'
  }

  /** A part for which there are no words any more goes; a file stays. */
  async #dropText(native: Native): Promise<'gone' | 'file'> {
    const { chatId, messageId } = native
    if (this.#files.has(`${chatId}/${messageId}`)) return 'file'
    try {
      await this.#o.requests.call('editMessageText', chatId, { chat_id: chatId, message_id: messageId, text: '…' })
    } catch (thrown) {
      if (isApiError(thrown, noText)) return 'file'
      if (!isApiError(thrown, gone) && !isApiError(thrown, unchanged)) throw thrown
    }
    await this.#delete(native)
    return 'gone'
  }

  remove(place: Place, target: readonly MessageId[]): Promise<void> {
    return this.#o.requests.inChat(place, async () => {
      for (const id of target) await this.#delete(this.#o.chats.native(place, id))
    })
  }

  async #delete({ chatId, messageId }: Native): Promise<void> {
    try {
      await this.#o.requests.call('deleteMessage', chatId, { chat_id: chatId, message_id: messageId })
    } catch (thrown) {
      if (!isApiError(thrown, gone)) throw thrown
    }
  }

  react(place: Place, target: MessageId, { emoji, removed }: Reaction): Promise<void> {
    return this.#o.requests.inChat(place, async () => {
      const { chatId, messageId } = this.#o.chats.native(place, target)
      const key = `${chatId}/${messageId}`
      // Telegram's own hearts are without what makes them coloured elsewhere.
      const sign = emoji.replaceAll('\ufe0f', '')
      const others = (await this.#reactions.of(key)).filter(shown => shown !== sign)
      const shown = removed ? others : [...others, sign]
      const reaction = shown.slice(-1).map(each => ({ type: 'emoji', emoji: each }))
      try {
        await this.#o.requests.call('setMessageReaction', chatId, { chat_id: chatId, message_id: messageId, reaction })
      } catch (thrown) {
        if (!isApiError(thrown, /REACTION_INVALID|REACTION_NOT_ALLOWED|reaction/i)) throw thrown
        throw new ChanopError('unsupported', `Telegram has no reaction ${sign}, or this chat does not allow it`)
      }
      await this.#reactions.set(key, shown)
    })
  }
}

/** Files that are words now that something is out stand behind what was said without them. */
function stepsFrom(draft: Draft, progress: Progress): Step[] {
  const { attachments = [], ...words } = draft.content
  if (draft.uploads?.length || attachments.length === 0 || progress.step === 0) return stepsOf(draft)
  const texts = (content: Content): Step[] =>
    textsOf({ ...draft, content }).map(rich => ({ kind: 'text' as const, rich }))
  const said = texts(words)
  if (!progress.named) progress.step = Math.min(progress.step, said.length)
  progress.named = true
  return [...said, ...texts({ ...words, segments: [], attachments })]
}

const slot = ({ channel }: Place): string => `adding/${channel}`

/** Words of one file among several. */
function captionOf({ caption }: Upload): object {
  if (caption === undefined) return {}
  const { text, entities } = richOf([{ kind: 'text', text: caption.slice(0, captionUnits).toWellFormed() }])
  return { caption: text.slice(0, captionUnits), caption_entities: entities }
}
