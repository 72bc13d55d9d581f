import type { Attachment } from '../../../core/event.ts'
import { truncate, visible } from '../../../core/text/text.ts'
import type { FileLike, Message } from '../native.ts'

/** Fields of a message that hold one file, and what it is called where it has no name of its own. */
const kinds: readonly (readonly [field: string, name: string, type: string])[] = [
  ['live_photo', 'photo.mp4', 'video/mp4'],
  ['animation', 'animation.mp4', 'video/mp4'],
  ['document', 'file', ''],
  ['video', 'video.mp4', 'video/mp4'],
  ['video_note', 'video.mp4', 'video/mp4'],
  ['audio', 'audio.mp3', 'audio/mpeg'],
  ['voice', 'voice.ogg', 'audio/ogg'],
]

const isFile = (value: unknown): value is FileLike =>
  typeof value === 'object' && value !== null && typeof (value as FileLike).file_id === 'string'

/** `photo.jpg` → `photo-AQAD….jpg`: files of one message are told apart, and nothing is overwritten. */
const named = (fallback: string, { file_unique_id = '' }: FileLike): string =>
  fallback.replace(/(\.\w+)?$/, ending => `-${file_unique_id.replace(/[^\w-]/g, '').slice(0, 20)}${ending}`)

function attachment(file: FileLike, fallback: string, type: string): Attachment {
  const { file_id, file_name, mime_type, file_size, width, height } = file
  const media = mime_type ?? type
  return {
    ref: file_id,
    name: truncate(visible(file_name ?? ''), 200) || named(fallback, file),
    ...(media === '' ? {} : { type: media }),
    ...(file_size === undefined ? {} : { sizeBytes: file_size }),
    ...(width === undefined || height === undefined ? {} : { width, height }),
  }
}

/** The largest of the sizes in which Telegram has a picture. */
const largest = (sizes: readonly FileLike[]): FileLike | undefined =>
  sizes.filter(isFile).reduce<FileLike | undefined>((best, size) => {
    const area = ({ width = 0, height = 0 }: FileLike): number => width * height
    return best && area(best) >= area(size) ? best : size
  }, undefined)

/** A sticker that any program shows as a picture or film; the others are drawn by Telegram's own programs. */
function stickerFile(sticker: NonNullable<Message['sticker']>): Attachment | null {
  if (!isFile(sticker) || sticker.is_animated) return null
  return sticker.is_video
    ? attachment(sticker, 'sticker.webm', 'video/webm')
    : attachment(sticker, 'sticker.webp', 'image/webp')
}

export function attachmentsOf(message: Message): Attachment[] {
  const fields = message as unknown as Readonly<Record<string, unknown>>
  const photo = largest(message.photo ?? [])
  if (photo) return [attachment(photo, 'photo.jpg', 'image/jpeg')]
  const sticker = message.sticker && stickerFile(message.sticker)
  if (sticker) return [sticker]
  // An animation comes as a document too.
  const found = kinds.find(([field]) => isFile(fields[field]))
  return found ? [attachment(fields[found[0]] as FileLike, found[1], found[2])] : []
}
