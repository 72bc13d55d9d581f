import type { APIMessage } from 'discord.js'
import { Recent } from '../../../core/recent.ts'
import { plain, truncate, visible } from '../../../core/text/text.ts'
import { contentOf, type Reader } from '../inbound.ts'
import type { Api } from '../wire/api.ts'
import { Refused } from '../wire/faults.ts'

const most = 500
const shownLetters = 80

/** What a webhook's message answers, in one line: webhooks can't reply. */
export class Quotes {
  readonly #api: Api
  readonly #reader: Reader
  readonly #lines = new Recent<string, string>(most)

  constructor(api: Api, reader: Reader) {
    this.#api = api
    this.#reader = reader
  }

  note(id: string, name: string, said: string): void {
    this.#lines.set(id, `${visible(name)}: ${truncate(visible(said), shownLetters)}`)
  }

  /** Null when it is gone, or can't be had just now: the answer is more than what it answers. */
  async of(channel: string, id: string): Promise<string | null> {
    const known = this.#lines.get(id)
    if (known !== undefined) return known
    try {
      const found = await this.#api.get<APIMessage>(`/channels/${channel}/messages/${id}`)
      const guild = this.#reader.directory.channels.get(channel)?.guild ?? null
      const { segments } = contentOf(this.#reader, guild, found)
      this.note(id, found.author.global_name ?? found.author.username, plain({ segments }))
      return this.#lines.get(id) ?? null
    } catch (error) {
      if (error instanceof Refused) return null
      throw error
    }
  }
}
