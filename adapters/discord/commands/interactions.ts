import {
  type APIApplicationCommandInteractionDataOption,
  type APIInteraction,
  type APIMessage,
  RESTJSONErrorCodes as errors,
} from 'discord.js'
import type { Found, NativeCommand } from '../../../core/adapter.ts'
import { inWords } from '../../../core/command/native.ts'
import { ChanopError } from '../../../core/error.ts'
import {
  type Asked,
  type Draft,
  type MessageEvent,
  type MessageId,
  type Place,
  text,
  type UserId,
} from '../../../core/event.ts'
import type { Log } from '../../../core/log.ts'
import { Recent } from '../../../core/recent.ts'
import { type Channel, snowflakeMs } from '../guild/directory.ts'
import { placeOf, type Reader, senderOf } from '../inbound.ts'
import { compose, nothing, nothingShown, onlyThese } from '../out/compose.ts'
import { attached, rawFiles } from '../out/files.ts'
import { plainLook } from '../text/render.ts'
import type { Api } from '../wire/api.ts'
import { isRefused } from '../wire/faults.ts'
import { optionName, optionTypes } from './catalogue.ts'

/** An interaction's token is good for 15 minutes. */
const livesMs = 14.5 * 60_000
const ephemeral = 1 << 6
const mostKept = 500
const callbacks = { deferred: 5, autocomplete: 8, message: 4 } as const

interface Live {
  readonly id: string
  readonly token: string
  readonly atMs: number
  readonly user: string
  readonly place: Place
  /** Whether the first answer is for the asker alone: so it was announced, and it stays so. */
  readonly hidden: boolean
  /** Discord shows that we are at work until the first answer. */
  waiting: boolean
  ready: Promise<unknown>
}

export interface InteractionsOptions {
  readonly api: Api
  readonly reader: Reader
  readonly log: Log
}

/** Commands filled in as forms: a message of its asker, and answers by the token that came with it for as long as it is good. */
export class Interactions {
  readonly #o: InteractionsOptions
  /** By the interaction's id, the oldest first. */
  readonly #live = new Recent<string, Live>(mostKept)
  readonly #answered = new Recent<string, readonly MessageId[]>(mostKept)
  /** Parts of an answer that are out although the rest is not: it goes on behind them. */
  readonly #begun = new Recent<string, string[]>(mostKept)
  /** Deliveries whose answer was lost on the way: nothing tells what became of them. */
  readonly #lost = new Recent<string, true>(mostKept)
  #commands: readonly NativeCommand[] = []

  constructor(options: InteractionsOptions) {
    this.#o = options
  }

  known(commands: readonly NativeCommand[]): void {
    this.#commands = commands
  }

  /** A command that somebody filled in, as what they said; null when it is none. Discord hears at once that we are at work. */
  take(interaction: APIInteraction, channel: Channel): MessageEvent | null {
    const kind = Number(interaction.type)
    if (kind === 4) void this.#complete(interaction)
    if (kind !== 2 || !interaction.data || !('name' in interaction.data)) return null
    const { reader } = this.#o
    const user = interaction.member?.user ?? interaction.user
    if (!user) return null
    const asked = this.#asked(interaction.data as Filled)
    const place = placeOf(reader, channel)
    const hidden = this.#commands.find(({ name }) => name === asked.name)?.private === true
    this.#keep(interaction, { user: user.id, place, hidden })
    const native = { author: user, ...(interaction.member ? { member: interaction.member } : {}) }
    return {
      kind: 'message',
      key: `${reader.network}:${interaction.id}`,
      id: interaction.id as MessageId,
      place,
      sender: senderOf(reader, channel.guild, native),
      content: text(inWords(asked)),
      asked,
      unlisted: true,
      atMs: snowflakeMs(interaction.id),
      origin: 'live',
    }
  }

  #asked(filled: Filled): Asked {
    const { name, given } = formOf(filled)
    const declared = this.#commands.find(command => command.name === name)?.fields ?? []
    const args: Record<string, string | number | boolean> = {}
    for (const option of given) {
      if (!('value' in option)) continue
      const key = declared.find(field => optionName(field.name) === option.name)?.name ?? option.name
      args[key] = typeof option.value === 'string' ? this.#resolved(option.value) : option.value
    }
    return { name, args }
  }

  /** People and channels that were picked from Discord's own menus, as commands write them. */
  #resolved(value: string): string {
    return value.replace(/<(?:@!?|#)(\d{17,20})>/g, (_all, id: string) => `${this.#o.reader.network}:${id}`)
  }

  #keep(interaction: APIInteraction, { user, place, hidden }: Pick<Live, 'user' | 'place' | 'hidden'>): void {
    const { id, token } = interaction
    const body = { type: callbacks.deferred, ...(hidden ? { data: { flags: ephemeral } } : {}) }
    const live: Live = { id, token, atMs: Date.now(), user, place, hidden, waiting: true, ready: Promise.resolve() }
    live.ready = this.#o.api
      .post(`/interactions/${id}/${token}/callback`, { body, auth: false })
      .catch((error: unknown) => {
        // Too late, or somebody else was faster: what is answered is said as a message.
        this.#live.delete(id)
        this.#o.log.info(
          { reason: error instanceof ChanopError ? error.message : 'unknown' },
          'a command was not taken up in time',
        )
      })
    this.#live.set(id, live)
  }

  async #complete(interaction: APIInteraction): Promise<void> {
    const { name, given } = formOf(interaction.data as Filled)
    const focused = given.find(option => (option as { focused?: boolean }).focused)
    const command = this.#commands.find(known => known.name === name)
    const field = command?.fields.find(each => optionName(each.name) === focused?.name)
    const typed = focused && 'value' in focused ? String(focused.value).toLowerCase() : ''
    const found = (field?.choices ?? []).filter(word => word.toLowerCase().includes(typed)).slice(0, 25)
    const body = { type: callbacks.autocomplete, data: { choices: found.map(word => ({ name: word, value: word })) } }
    const { id, token } = interaction
    await this.#o.api.post(`/interactions/${id}/${token}/callback`, { body, auth: false }).catch(() => undefined)
  }

  /** The interaction that a message of ours answers, while it can be answered. */
  #of(find: (live: Live) => boolean): Live | null {
    const nowMs = Date.now()
    for (const live of this.#live.values()) if (nowMs - live.atMs > livesMs) this.#live.delete(live.id)
    return [...this.#live.values()].findLast(find) ?? null
  }

  /** Answers for everybody; null when there is no such interaction (any more). */
  async answer(draft: Draft, deliveryId: string): Promise<readonly MessageId[] | null> {
    const live = this.#of(({ id, hidden }) => id === draft.content.replyTo && !hidden)
    return live ? this.#say(live, draft, deliveryId, false) : null
  }

  /** Answers the asker alone. Rejects `unsupported` without a live interaction of theirs in this place. */
  async answerAlone(place: Place, user: UserId, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    const done = this.#answered.get(deliveryId)
    if (done) return done
    const here = (live: Live): boolean =>
      live.user === user && live.place.channel === place.channel && live.place.thread === place.thread
    const live = this.#of(here)
    const ids = live ? await this.#say(live, draft, deliveryId, true) : null
    if (!ids)
      throw new ChanopError(
        'unsupported',
        'Discord shows something to one person alone only as the answer to a slash command',
      )
    return ids
  }

  /** Null: the token is not good any more. */
  async #say(live: Live, draft: Draft, deliveryId: string, alone: boolean): Promise<readonly MessageId[] | null> {
    await live.ready
    const { replyTo: _reply, ...content } = draft.content
    const uploads = await rawFiles(draft.uploads ?? [])
    const words = compose({ ...draft, content }, { look: plainLook, named: false })
    const posts = words.length === 0 && uploads.length > 0 ? [nothing] : words
    if (posts.length === 0) throw nothingShown()
    const webhook = `/webhooks/${this.#o.reader.directory.application}/${live.token}` as const
    const ids = this.#begun.get(deliveryId) ?? []
    try {
      if (live.waiting && live.hidden !== alone) {
        // The first answer is seen by whom it was announced for: this one is for others.
        await this.#o.api.delete(`${webhook}/messages/@original`, { auth: false })
      }
      live.waiting = false
      for (const [at, { content: said, users }] of posts.entries()) {
        if (at < ids.length) continue
        const files = at === posts.length - 1 ? uploads : []
        const about = { allowed_mentions: onlyThese(users), ...attached(files), ...(alone ? { flags: ephemeral } : {}) }
        const body = said === '' ? about : { content: said, ...about }
        const sending = files.length === 0 ? {} : { files }
        const ask = { body, ...sending, query: { wait: true }, auth: false as const }
        ids.push((await this.#o.api.post<APIMessage>(webhook, ask)).id)
        this.#begun.set(deliveryId, ids)
      }
    } catch (error) {
      if (error instanceof ChanopError && error.code === 'network-down') this.#lost.set(deliveryId, true)
      if (
        ids.length > 0 ||
        !isRefused(error, errors.UnknownWebhook, errors.InvalidWebhookToken, errors.UnknownInteraction)
      )
        throw error
      this.#live.delete(live.id)
      return null
    }
    this.#begun.delete(deliveryId)
    this.#answered.set(deliveryId, ids as string[] as MessageId[])
    return ids as string[] as MessageId[]
  }

  /** What a delivery became that went this way; null when none did. */
  sent(deliveryId: string): Found | null {
    return this.#answered.get(deliveryId) ?? (this.#lost.has(deliveryId) ? 'cannot-tell' : null)
  }
}

/** What somebody filled in, or is filling in. */
interface Filled {
  readonly name: string
  readonly options?: readonly APIApplicationCommandInteractionDataOption[]
}

/** A form by the command's full name: of a group the command stands in the first option. */
function formOf({ name, options = [] }: Filled): { name: string; given: NonNullable<Filled['options']> } {
  const [first] = options
  if (!first || Number(first.type) !== optionTypes.subcommand) return { name, given: options }
  return { name: `${name} ${first.name}`, given: ('options' in first && first.options) || [] }
}
