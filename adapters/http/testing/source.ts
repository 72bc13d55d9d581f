import assert from 'node:assert/strict'
import { until } from '../../../bots/bridge/testing.ts'
import type { World } from './world.ts'

interface Event {
  readonly id: number
  readonly event: string
  readonly data: { readonly text?: string; readonly channel?: string; readonly reason?: string }
}

/** A reader of server-sent events, as browsers have it: by the standard of HTML. */
export class Source {
  readonly events: Event[] = []
  lastId = ''
  ended = false
  readonly #stop = new AbortController()

  async open(
    world: Pick<World, 'url'>,
    key: string,
    path = '/v1/stream',
    headers: Record<string, string> = {},
  ): Promise<this> {
    const response = await fetch(world.url + path, {
      headers: { authorization: `Bearer ${key}`, ...headers },
      signal: this.#stop.signal,
    })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    void this.#read(response.body as ReadableStream<Uint8Array>)
    await until(() => this.lastId !== '', 'the beginning of the stream')
    return this
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let rest = ''
    try {
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        const blocks = (rest + chunk).split('\n\n')
        rest = blocks.pop() ?? ''
        for (const block of blocks) this.#take(block)
      }
    } catch (error) {
      if (!this.#stop.signal.aborted && !/terminated/.test((error as Error).message)) throw error
    }
    this.ended = true
  }

  #take(block: string): void {
    const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
    this.lastId = field('id') ?? this.lastId
    const data = field('data')
    if (data !== undefined)
      this.events.push({ id: Number(this.lastId), event: field('event') ?? '', data: JSON.parse(data) })
  }

  get texts(): string[] {
    return this.events.flatMap(({ event, data }) => (event === 'message' ? [data.text ?? ''] : []))
  }

  close(): void {
    this.#stop.abort()
  }
}
