import type { RawFile } from 'discord.js'
import type { Upload } from '../../../core/event.ts'
import { fileName, truncate, visible } from '../../../core/text/text.ts'

/** No message carries more. */
export const mostFiles = 10

/** A file as the library sends it, with its words. */
export interface SentFile extends RawFile {
  readonly description?: string
}

const longestDescription = 1024
const describedAs = ({ caption }: Upload): Pick<SentFile, 'description'> => {
  const shown = Array.from(truncate(visible(caption ?? ''), longestDescription))
    .slice(0, longestDescription)
    .join('')
  return shown === '' ? {} : { description: shown }
}

/** Files as the library sends them: whole, in memory. */
export const rawFiles = (uploads: readonly Upload[]): Promise<SentFile[]> =>
  Promise.all(
    uploads.map(async upload => ({
      name: fileName(upload.name),
      data: Buffer.from(await new Response(upload.open()).arrayBuffer()),
      contentType: upload.type ?? 'application/octet-stream',
      ...describedAs(upload),
    })),
  )

/** What a message's body says of the files that go with it. */
export const attached = (files: readonly SentFile[]) =>
  files.length === 0
    ? {}
    : {
        attachments: files.map(({ name, description }, id) => ({
          id: String(id),
          filename: name,
          ...(description === undefined ? {} : { description }),
        })),
      }
