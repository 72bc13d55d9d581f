import type { Attachment, Upload } from '../../core/event.ts'
import { count, type Json, object, type RoomEvent, string } from './native.ts'
import { head, oneLine } from './text/words.ts'

const kinds: Readonly<Record<string, string>> = {
  'm.image': 'image',
  'm.video': 'video',
  'm.audio': 'audio',
  'm.file': 'file',
}

/** Whoever sent a file says what it is: only what is one goes into a header. */
export const isMediaType = (type: string | undefined): type is string =>
  type !== undefined && /^[\w.+-]{1,100}\/[\w.+-]{1,100}$/.test(type)

/** `mxc://server/id` in its two parts; null when it is none. */
export function parseMxc(uri: string): { server: string; id: string } | null {
  const found = /^mxc:\/\/([A-Za-z0-9.:[\]-]{1,255})\/([A-Za-z0-9_=-]{1,255})$/.exec(uri)
  return found ? { server: found[1] as string, id: found[2] as string } : null
}

/** The file of a message. What is encrypted can't be read here, and what has no address is none. */
export function attachmentOf({ type, content }: RoomEvent): Attachment | null {
  const sticker = type === 'm.sticker'
  const kind = sticker ? 'sticker' : type === 'm.room.message' ? kinds[string(content['msgtype']) ?? ''] : undefined
  const ref = string(content['url']) ?? ''
  if (!kind || !parseMxc(ref)) return null
  const info = object(content['info'])
  const named = oneLine(string(content['filename']) ?? string(content['body']) ?? '')
  const voice = content['org.matrix.msc3245.voice'] !== undefined || content['m.voice'] !== undefined
  const mimetype = string(info['mimetype'])
  return {
    ref,
    name: head(voice && named === '' ? 'voice message' : named, 255) || kind,
    ...(isMediaType(mimetype) ? { type: mimetype } : {}),
    ...sized(info),
  }
}

function sized(info: Json): { sizeBytes?: number; width?: number; height?: number } {
  const [sizeBytes, width, height] = [count(info['size']), count(info['w']), count(info['h'])]
  return {
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(width === undefined || height === undefined ? {} : { width, height }),
  }
}

/** How a file that was uploaded is said. */
export function fileContent(file: Upload, url: string): Json {
  const kind = /^(image|video|audio)\//.exec(file.type ?? '')?.[1]
  const name = head(oneLine(file.name), 255) || 'file'
  const { width: w, height: h, type: mimetype } = file
  return {
    msgtype: `m.${kind ?? 'file'}`,
    body: name,
    filename: name,
    url,
    info: {
      size: file.sizeBytes,
      ...(isMediaType(mimetype) ? { mimetype } : {}),
      ...(w === undefined || h === undefined ? {} : { w, h }),
    },
  }
}
