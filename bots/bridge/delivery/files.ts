import { Readable } from 'node:stream'
import type { Adapter } from '../../../core/adapter.ts'
import { asChanopError, ChanopError } from '../../../core/error.ts'
import {
  type Attachment,
  type Chart,
  type Content,
  isNeeded,
  type MessageEvent,
  type NetworkId,
  type Place,
  type Upload,
} from '../../../core/event.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { type Delivery, enqueue } from '../../../core/ledger/out/deliveries.ts'
import { bySeq } from '../../../core/ledger/record/events.ts'
import { type Copied, copiedAs, type MediaRow, noteCopied } from '../../../core/ledger/record/media.ts'
import type { Log } from '../../../core/log.ts'
import { fetchPublic } from '../../../core/media/fetch.ts'
import type { MediaStore } from '../../../core/media/store.ts'
import { Slots } from '../../../core/process/slots.ts'
import { deadline } from '../../../core/retry.ts'
import type { Rooms } from '../../../core/rooms.ts'
import type { LinkServer } from './link-server.ts'
import { endsIn, fileName, isProgram } from './refused-files.ts'

export interface FilesOptions {
  readonly store: MediaStore
  readonly links: LinkServer
  readonly rooms: Rooms
  /** A chart as PNG. */
  readonly draw: (chart: Chart, signal: AbortSignal) => Promise<Uint8Array>
  /** Endings of names that are not passed on. */
  readonly refuse: () => readonly string[]
  readonly ledger: Ledger
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  readonly log: Log
  readonly signal: AbortSignal
}

/** So many files of one network come at once that no message waits for yet. */
const mostAtOnce = 4
/** For so long one file may take to come. */
const copyMs = 120_000
/** What can't be had for so long is words. */
const waitMs = 600_000

/** What of a content's files goes out as a file, and what as words. */
export interface Ready {
  readonly uploads: readonly Upload[]
  readonly words: readonly Attachment[]
}

const fetched = async (url: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> =>
  (await fetchPublic(url, { signal })).body

async function* withoutPrograms(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let head = Buffer.alloc(0)
  for await (const piece of bytes) {
    if (head.length < 4) head = Buffer.concat([head, piece.subarray(0, 4)])
    if (isProgram(head)) throw new ChanopError('media-refused', 'programs are not passed on')
    yield piece
  }
}

/** Brings the files of messages into the media store, each once, and out again to every network that takes some. */
export class Files {
  readonly #o: FilesOptions
  readonly #copying = new Map<string, Promise<Copied>>()
  readonly #drawing = new Map<string, Promise<MediaRow>>()
  readonly #slots = new Map<NetworkId, Slots>()

  constructor(options: FilesOptions) {
    this.#o = options
  }

  /** Begins to copy what came with an event at once: the platform may not keep it for long. */
  expect({ place: { network }, content }: MessageEvent): void {
    const slots = this.#slots.get(network) ?? new Slots(mostAtOnce)
    this.#slots.set(network, slots)
    for (const file of content.attachments ?? []) {
      const copied = slots.run(() => this.#copied(network, file))
      copied.catch((error: unknown) => {
        this.#o.log.info(
          { network, file: file.name },
          `a file could not be copied yet: ${asChanopError(error).message}`,
        )
      })
    }
  }

  /**
   * The files of a fact as this network takes them. Rejects, to be tried again, while one can't be had: not for ever, so
   * that the words are not kept up by it.
   */
  async ready(
    to: Adapter,
    content: Content,
    said: { readonly source: number | null; readonly createdMs: number; readonly place: Place },
  ): Promise<Ready> {
    const given = (content.attachments ?? []).map(file => ({ ...file, name: fileName(file.name) }))
    const { links, rooms } = this.#o
    const from = await this.#networkOf(said.source)
    const asked = from === null ? 'copy' : (rooms.of(said.place)?.bridging.files ?? 'copy')
    const fileBytes = asked === 'copy' ? (to.limits.fileBytes ?? 0) : 0
    const files = fileBytes === 0 ? given.filter(isNeeded) : given
    if (asked === 'off' || (fileBytes === 0 && !links.open)) return { uploads: [], words: given.filter(isNeeded) }
    const uploads: Upload[] = []
    const words: Attachment[] = []
    for (const file of files) {
      const upload = await this.#upload(from, file, Date.now() - said.createdMs > waitMs)
      if (upload && upload.sizeBytes <= fileBytes) uploads.push(upload)
      else if (isNeeded(file)) words.push(...(upload ? await this.named([upload]) : [file]))
    }
    return { uploads, words }
  }

  /** Files that can't be uploaded, as words: with an address where there are such. */
  async named(uploads: readonly Upload[]): Promise<Attachment[]> {
    const { links } = this.#o
    const named: Attachment[] = []
    for (const file of uploads) named.push(links.open ? { ...file, url: await links.link(file) } : file)
    return named
  }

  /**
   * Has the pictures said behind words that are out, where files are shown. Nothing waits for them; one that can't be drawn, or for
   * which we do not live long enough, is left out.
   */
  follow(to: Adapter, { place, bot, source, act }: Delivery, charts: readonly Attachment[]): void {
    if (act.do !== 'send' || !to.limits.fileBytes) return
    const { ledger, log, signal } = this.#o
    const { as, replySeq, threadSeq } = act
    const where = { ...(replySeq === undefined ? {} : { replySeq }), ...(threadSeq === undefined ? {} : { threadSeq }) }
    const from = { ...(as ? { as } : {}), ...where }
    const drawn = charts.map(async ({ chart, ...file }) => {
      const { hash } = await this.#drawn(chart as Chart)
      const content = { segments: [], attachments: [{ ...file, ref: hash }] }
      const more = source === null ? {} : { source }
      await ledger.write(tx => enqueue(tx, { place, bot, act: { do: 'send', content, ...from }, ...more }, Date.now()))
    })
    for (const each of drawn) {
      each.catch((error: unknown) => {
        if (!signal.aborted) log.warn({ error }, 'a chart is left out: it could not be drawn')
      })
    }
  }

  /** Null: it can't be had, now that it is `late`. */
  async #upload(from: NetworkId | null, file: Attachment, late: boolean): Promise<Upload | null> {
    // What a bot of ours says carries files of the store itself, whose ref is the hash.
    const copied = from === null ? await this.#o.store.use(file.ref) : await this.#had(from, file, late)
    if (!copied || 'error' in copied) return null
    const { hash, sizeBytes } = copied
    return { ...file, hash, sizeBytes, open: () => this.#o.store.open(hash) }
  }

  /** Once for all places that show it now. */
  #drawn(chart: Chart): Promise<MediaRow> {
    const { store, draw, signal } = this.#o
    const key = JSON.stringify(chart)
    const drawing =
      this.#drawing.get(key) ??
      draw(chart, signal)
        .then(png => store.put(Readable.from([png]), signal))
        .finally(() => this.#drawing.delete(key))
    this.#drawing.set(key, drawing)
    return drawing
  }

  async #had(network: NetworkId, file: Attachment, late: boolean): Promise<Copied | null> {
    try {
      return await this.#copied(network, file)
    } catch (error) {
      if (late) return null
      throw new ChanopError('send-later', `${file.name} is not here yet: ${asChanopError(error).message}`, {
        cause: error,
      })
    }
  }

  async #networkOf(source: number | null): Promise<NetworkId | null> {
    const fact = source === null ? null : await this.#o.ledger.read(db => bySeq(db, source))
    return !fact || fact.event.sender.kind === 'self' ? null : fact.event.place.network
  }

  /** Copied now, or before. Rejects with what may be tried again. */
  #copied(network: NetworkId, file: Attachment): Promise<Copied> {
    const key = `${network}\n${file.ref}`
    const running = this.#copying.get(key) ?? this.#copy(network, file).finally(() => this.#copying.delete(key))
    this.#copying.set(key, running)
    return running
  }

  async #copy(network: NetworkId, file: Attachment): Promise<Copied> {
    const { ledger, store } = this.#o
    const known = await ledger.read(tx => copiedAs(tx, network, file.ref))
    if (known && 'error' in known) return known
    const kept = known && (await store.use(known.hash))
    if (kept) return kept
    const copied = await this.#fetched(network, file)
    await ledger.write(tx => noteCopied(tx, network, file.ref, copied, Date.now()))
    return copied
  }

  async #fetched(network: NetworkId, file: Attachment): Promise<MediaRow | { error: string }> {
    const adapter = this.#o.adapters.get(network)
    if (!adapter) throw new ChanopError('network-down', `${network} is not connected`)
    const ending = endsIn(file.name, this.#o.refuse())
    if (ending !== null) return { error: `files that end in .${ending} are not passed on (media.refuse)` }
    if (!adapter.open && file.url === undefined) return { error: `${network} gives no files` }
    const signal = deadline(copyMs, this.#o.signal)
    try {
      const bytes = await (adapter.open?.(file, signal) ?? fetched(file.url ?? '', signal))
      return await this.#o.store.put(withoutPrograms(bytes), signal)
    } catch (thrown) {
      if (signal.aborted) throw new ChanopError('network-down', 'it took too long', { cause: thrown })
      const error = asChanopError(thrown)
      if (!(thrown instanceof ChanopError) || error.retry === 'later') throw error
      this.#o.log.warn({ network, file: file.name }, `a file is not copied: ${error.message}`)
      return { error: error.message }
    }
  }
}
