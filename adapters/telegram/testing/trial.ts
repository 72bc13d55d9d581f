import type { TestContext } from 'node:test'
import type { Adapter } from '../../../core/adapter.ts'
import { contextOf, runOn, within } from '../../../core/contract/harness.ts'
import { RecordBook } from '../../../core/contract/record.ts'
import type { ChannelId, Draft, NetworkId, Place, Segment } from '../../../core/event.ts'
import { telegram } from '../index.ts'
import { type ServerOptions, TelegramServer } from './server.ts'
import type { Room, Stored } from './world.ts'

export const network = 'tg' as NetworkId

export const placeOf = ({ chat }: Room): Place => ({
  network,
  channel: String(chat.id) as ChannelId,
  ...(chat.type === 'private' ? { private: true as const } : {}),
})

export const said = (...segments: readonly Segment[]): Draft => ({ content: { segments } })
export const words = (text: string): Draft => said({ kind: 'text', text })

/** One bot account on a server of its own; everything ends with the test. */
export class Trial {
  readonly server: TelegramServer
  readonly book = new RecordBook()
  readonly room: Room
  #sends = 0

  private constructor(server: TelegramServer, room: Room) {
    this.server = server
    this.room = room
  }

  static async open(t: TestContext, options: ServerOptions = {}, room: Partial<Room['chat']> = {}): Promise<Trial> {
    const server = await TelegramServer.start(options)
    t.after(() => server.stop())
    return new Trial(server, server.world.group('Trial', room))
  }

  get place(): Place {
    return placeOf(this.room)
  }

  /** What our account said here, oldest first, without what was taken back. */
  get seen(): readonly Stored[] {
    return this.room.messages.filter(({ from, deleted }) => !deleted && from?.id === this.server.world.me.id)
  }

  get texts(): readonly string[] {
    return this.seen.map(({ message }) => (message['text'] ?? message['caption'] ?? '') as string)
  }

  create(config: object = {}, token = this.server.token, inRooms: readonly string[] = []): Promise<Adapter> {
    const channels = [this.room.chat.id]
    const given = { kind: 'telegram', token: 'env:T', api: this.server.url, rate: null, channels, ...config }
    const places = inRooms.map(channel => ({ network, channel: channel as ChannelId }))
    const context = contextOf(this.book, { network, places, secret: async () => token })
    return telegram.create(telegram.schema.parse(given), context)
  }

  /** An adapter that is up and waits for what people say. */
  async start(t: TestContext, config: object = {}): Promise<{ adapter: Adapter; stop: () => Promise<void> }> {
    const adapter = await this.create(config)
    const { stop } = runOn(this.book, adapter)
    t.after(stop)
    await this.book.until(() => adapter.status().state === 'up', 'the adapter to be up')
    await within(this.server.listening(), 'the adapter to listen')
    return { adapter, stop }
  }

  send(adapter: Adapter, draft: Draft, place: Place = this.place): ReturnType<Adapter['send']> {
    return within(adapter.send(place, draft, `d${this.#sends++}`), 'send')
  }
}
