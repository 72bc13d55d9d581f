import type { Cursors } from '../../../core/adapter.ts'
import type { Log } from '../../../core/log.ts'

interface Entry {
  readonly delivery: string
  readonly ids: readonly string[]
  readonly parts: number
}

interface Page {
  /** The newest message of the channel when we first said something there, or our newest since. */
  after: string
  recent: readonly Entry[]
}

const mostRecent = 20

/**
 * What we said last in each channel, kept with the network's cursors: a webhook's messages carry no key of ours, so what
 * became of one whose answer was lost is read from the history behind the last that is known. One is under way in each channel.
 */
export class SentBook {
  readonly #cursors: Cursors
  readonly #log: Log
  readonly #pages = new Map<string, Page>()

  constructor(cursors: Cursors, log: Log) {
    this.#cursors = cursors
    this.#log = log
  }

  /** Before something is said in a channel: knows where its history stood. `newest` asks the platform, the first time only. */
  async open(channel: string, newest: () => Promise<string>): Promise<void> {
    if (await this.#page(channel)) return
    await this.#keep(channel, { after: await newest(), recent: [] })
  }

  async after(channel: string): Promise<string | null> {
    return (await this.#page(channel))?.after ?? null
  }

  async entry(channel: string, delivery: string): Promise<Entry | null> {
    const page = await this.#page(channel)
    return page?.recent.find(entry => entry.delivery === delivery) ?? null
  }

  /** Ids that belong to deliveries already. */
  async taken(channel: string): Promise<ReadonlySet<string>> {
    const page = await this.#page(channel)
    return new Set((page?.recent ?? []).flatMap(({ ids }) => ids))
  }

  async landed(channel: string, delivery: string, id: string, parts: number): Promise<void> {
    const page = await this.#page(channel)
    const known = page?.recent.find(entry => entry.delivery === delivery)
    const entry = { delivery, ids: [...(known?.ids ?? []), id], parts }
    const others = (page?.recent ?? []).filter(other => other.delivery !== delivery)
    await this.#keep(channel, { after: id, recent: [...others, entry].slice(-mostRecent) })
  }

  async #page(channel: string): Promise<Page | null> {
    const known = this.#pages.get(channel)
    if (known) return known
    const kept = await this.#cursors.get(`sent ${channel}`)
    const page = kept === null ? null : (JSON.parse(kept) as Page)
    if (page) this.#pages.set(channel, page)
    return page
  }

  /** The message is out whether or not this can be written: then memory alone has it. */
  async #keep(channel: string, page: Page): Promise<void> {
    this.#pages.set(channel, page)
    await this.#cursors.set(`sent ${channel}`, JSON.stringify(page)).catch((error: unknown) => {
      this.#log.warn({ error, channel }, 'what was said could not be noted; a crash now may repeat it')
    })
  }
}
