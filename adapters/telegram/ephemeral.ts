import { ChanopError } from '../../core/error.ts'
import type { Draft, MessageId, Place, UserId } from '../../core/event.ts'
import { Recent } from '../../core/recent.ts'
import type { Api } from './api.ts'
import type { Chats } from './chats.ts'
import { ApiError } from './fault.ts'
import { textsOf } from './out/steps.ts'
import type { Requests } from './requests.ts'

interface EphemeralMessage {
  readonly message_id?: number
  readonly ephemeral_message_id?: number
}

export interface EphemeralOptions {
  readonly api: Api
  readonly chats: Chats
  readonly requests: Requests
}

const mostBegun = 1000

const cannot = (): ChanopError =>
  new ChanopError(
    'unsupported',
    'Telegram can not show it to one person alone here; it goes to their direct conversation',
  )

/** Of a message that one person alone sees; nothing can be done with it later. */
export const ephemeralId = (id: number, user: number | string): MessageId => `e${id}.${user}` as MessageId

/**
 * What one person alone sees in a group (Bot API 10.2, with other parameters since 10.3). A server that does not know of it would
 * show it to everybody: so the first word to each group is one that anybody may read, and is taken back.
 */
export class Ephemeral {
  readonly #o: EphemeralOptions
  /** The groups in which it was tried. */
  readonly #able = new Map<number, Promise<boolean>>()
  /** Parts of a delivery that are out although the rest is not: `send` goes on behind them. */
  readonly #begun = new Recent<string, MessageId[]>(mostBegun)

  constructor(options: EphemeralOptions) {
    this.#o = options
  }

  async send(place: Place, user: UserId, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    const { chats, requests } = this.#o
    if (place.private || !/^\d{1,16}$/.test(user) || (draft.uploads ?? []).length > 0) throw cannot()
    const texts = textsOf(draft)
    if (texts.length === 0) throw new ChanopError('send-refused', 'there is nothing in it that Telegram could show')
    const chatId = chats.chatId(place.channel)
    if (!chats.isGroup(chatId) || !(await this.#isAble(chatId, user))) throw cannot()
    return requests.inChat(place, async () => {
      const ids = this.#begun.get(deliveryId) ?? []
      for (const { text, entities } of texts.slice(ids.length)) {
        ids.push(await this.#say(chatId, user, { text, entities }))
        this.#begun.set(deliveryId, ids)
      }
      this.#begun.delete(deliveryId)
      return ids
    })
  }

  async #say(chatId: number, user: UserId, said: object): Promise<MessageId> {
    const { requests } = this.#o
    const preview = { link_preview_options: { is_disabled: true } }
    const asked = { chat_id: chatId, ...said, ...preview, ...receiver(user) }
    const { ephemeral_message_id: id } = await requests.call<EphemeralMessage>('sendMessage', chatId, asked)
    return ephemeralId(id ?? 0, user)
  }

  #isAble(chatId: number, user: UserId): Promise<boolean> {
    const known = this.#able.get(chatId)
    if (known) return known
    const trying = this.#try(chatId, user).catch((thrown: unknown) => {
      this.#able.delete(chatId)
      if (thrown instanceof ApiError && thrown.retry === 'never') return false
      throw thrown
    })
    this.#able.set(chatId, trying)
    return trying
  }

  /** Whether the server knows of such messages, and shows one as it should. */
  async #try(chatId: number, user: UserId): Promise<boolean> {
    const { api, requests } = this.#o
    const about = { chat_id: chatId, receiver_user_id: Number(user) }
    try {
      await api.call('deleteEphemeralMessage', { ...about, ephemeral_message_id: 1 })
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.retry === 'later') throw thrown
      if (thrown.status === 404) return false
    }
    const asked = { chat_id: chatId, text: '…', disable_notification: true, ...receiver(user) }
    const tried = await requests.call<EphemeralMessage>('sendMessage', chatId, asked)
    const { ephemeral_message_id, message_id } = tried
    if (ephemeral_message_id === undefined) {
      await api.call('deleteMessage', { chat_id: chatId, message_id })
      return false
    }
    await api.call('deleteEphemeralMessage', { ...about, ephemeral_message_id })
    return true
  }
}

/** As 10.2 has it, and as 10.3 does: each takes no notice of the other's. */
const receiver = (user: UserId): object => ({
  receiver_user_id: Number(user),
  ephemeral_message_parameters: { receiver_user_id: Number(user) },
})
