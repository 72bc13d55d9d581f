import type { Cursors } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import type { Draft, MessageId, Place, Upload } from '../../../core/event.ts'
import { isRecord } from '../../../core/loose.ts'
import { Recent } from '../../../core/recent.ts'
import { deadline, sleep } from '../../../core/retry.ts'
import { fileName } from '../../../core/text/text.ts'
import type { Api } from '../link/api.ts'
import { Fault, isRefused } from '../link/fault.ts'
import { isTs, list, type Native, part, str } from '../native.ts'
import { escape } from '../text/mrkdwn.ts'
import { nameOf, threadFor } from './posts.ts'

const uploadMs = 300_000
/** How long the message of a file is waited for; it is usually there at once. */
const shareMs = 15_000
const mostKept = 2000

export interface UploadsOptions {
  readonly api: Api
  readonly cursors: Cursors
  readonly signal: AbortSignal
}

/**
 * Files go up in three steps and become a message that has no label: its files' ids are noted before the last step, and are
 * what tells afterwards whether it was done.
 */
export class Uploads {
  readonly #o: UploadsOptions
  /** Whether a message is one of files. */
  readonly #files = new Recent<string, boolean>(mostKept)
  readonly #waiting = new Map<string, (ts: string) => void>()

  constructor(options: UploadsOptions) {
    this.#o = options
  }

  /** A message of ours with these files stands there. */
  shared(files: readonly string[], channel: string, ts: string): void {
    if (files.length > 0) this.#note(channel, ts)
    for (const file of files) this.#waiting.get(`${channel} ${file}`)?.(ts)
  }

  /** Uploads the files of a draft and shows them in one message; its id, null when Slack does not tell. */
  async share(place: Place, draft: Draft, delivery: string): Promise<MessageId | null> {
    const files: { id: string; title: string }[] = []
    for (const upload of draft.uploads ?? []) files.push(await this.#put(upload))
    const [first] = files
    if (!first) return null
    await this.#o.cursors.set(slot(place), JSON.stringify({ delivery, files: files.map(({ id }) => id) }))
    const comment = draft.as ? { initial_comment: `*${escape(nameOf(draft)).replaceAll('*', '∗')}*` } : {}
    const { promise, resolve } = Promise.withResolvers<string>()
    const key = `${place.channel} ${first.id}`
    this.#waiting.set(key, resolve)
    try {
      await this.#o.api.call('files.completeUploadExternal', {
        files,
        channel_id: place.channel,
        ...comment,
        ...threadFor(place.thread, draft),
      })
      return await this.#landed(place, first.id, promise)
    } finally {
      this.#waiting.delete(key)
    }
  }

  async #put(upload: Upload): Promise<{ id: string; title: string }> {
    const name = fileName(upload.name)
    const answer = await this.#o.api.call('files.getUploadURLExternal', {
      filename: name,
      length: upload.sizeBytes,
      ...(upload.caption && upload.type?.startsWith('image/')
        ? { alt_txt: upload.caption.slice(0, 1000).toWellFormed() }
        : {}),
    })
    const url = str(answer, 'upload_url')
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(upload.sizeBytes) },
      body: upload.open(),
      duplex: 'half',
      signal: deadline(uploadMs, this.#o.signal),
    }).catch((error: unknown) => {
      // Nothing is shown before the last step: it may be begun anew.
      throw new ChanopError('send-later', 'A file could not be uploaded to Slack; it is tried again.', { cause: error })
    })
    await response.body?.cancel()
    if (response.status >= 400 && response.status < 500 && ![408, 429].includes(response.status)) {
      throw new Fault('refused', 'upload', { code: `upload_${response.status}` })
    }
    if (!response.ok) {
      throw new ChanopError('send-later', `Slack did not take a file (${response.status}); it is tried again.`)
    }
    return { id: str(answer, 'file_id'), title: name }
  }

  /** By the event, or by asking. */
  async #landed(
    place: Place,
    file: string,
    event = Promise.withResolvers<string>().promise,
  ): Promise<MessageId | null> {
    const until = deadline(shareMs, this.#o.signal)
    for (let pauseMs = 100; !until.aborted; pauseMs = Math.min(2000, pauseMs * 2)) {
      const ts = (await this.#shareOf(file, place)) ?? (await Promise.race([event, sleep(pauseMs, until)])) ?? null
      if (ts) {
        this.#note(place.channel, ts)
        return ts as MessageId
      }
    }
    return null
  }

  async #shareOf(file: string, place: Place): Promise<string | null> {
    const answer = await this.#o.api.call('files.info', { file }).catch((error: unknown) => {
      if (error instanceof Fault && (error.kind !== 'refused' || isRefused(error, 'file_not_found', 'missing_scope')))
        return {}
      throw error
    })
    return shareIn(part(answer, 'file'), place)
  }

  /** The message of a delivery's files, when they were shown before an answer was lost. */
  async find(place: Place, delivery: string): Promise<MessageId | null> {
    const kept = await this.#o.cursors.get(slot(place))
    const noted: unknown = kept === null ? null : JSON.parse(kept)
    if (!isRecord(noted) || noted['delivery'] !== delivery || !Array.isArray(noted['files'])) return null
    const [file] = noted['files']
    if (typeof file !== 'string') return null
    try {
      await this.#o.api.patient('files.info', { file }, this.#o.signal, 5)
    } catch (error) {
      if (isRefused(error, 'file_not_found', 'file_deleted')) return null
      throw error
    }
    // Slack tells some time later where a file is shown.
    return this.#landed(place, file)
  }

  /** Which of a copy's messages are words, and which are files. */
  async apart(place: Place, target: readonly MessageId[]): Promise<{ texts: MessageId[]; files: MessageId[] }> {
    const texts: MessageId[] = []
    const files: MessageId[] = []
    for (const id of target) {
      // A copy that is one message has its words there, whatever else it has.
      const isFile = target.length > 1 && (await this.#hasFiles(place, id))
      ;(isFile ? files : texts).push(id)
    }
    return { texts, files }
  }

  async #hasFiles(place: Place, id: MessageId): Promise<boolean> {
    const key = `${place.channel} ${id}`
    const known = this.#files.get(key)
    if (known !== undefined) return known
    const message = await this.message(place, id)
    const has = list(message, 'files').length > 0
    // A long text that grows is edited again and again.
    if (str(message, 'ts') !== '') this.#files.set(key, has)
    return has
  }

  /** A message as it stands, in whatever thread; an empty one when it is gone. */
  async message({ channel }: Place, id: MessageId): Promise<Native> {
    const asked = { channel, ts: id, latest: id, oldest: id, inclusive: true, limit: 10 }
    const page = await this.#o.api.call('conversations.replies', asked).catch((error: unknown) => {
      if (isRefused(error, 'thread_not_found', 'message_not_found')) return {}
      throw error
    })
    return list(page, 'messages').find(each => str(each, 'ts') === id) ?? {}
  }

  #note(channel: string, ts: string): void {
    this.#files.set(`${channel} ${ts}`, true)
  }
}

const slot = ({ channel }: Place): string => `upload/${channel}`

/** When a file was shown in a channel: what names its message. */
function shareIn(file: Native, { channel }: Place): string | null {
  const shares = part(file, 'shares')
  for (const kind of ['public', 'private']) {
    const [share] = list(part(shares, kind), channel).toReversed()
    if (share && isTs(str(share, 'ts'))) return str(share, 'ts')
  }
  return null
}
