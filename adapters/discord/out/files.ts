import type { RawFile } from 'discord.js'
import type { Upload } from '../../../core/event.ts'

/** No message carries more. */
export const mostFiles = 10

const fileName = (name: string): string =>
  name
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f/\\]/g, '_')
    .slice(-200) || 'file'

/** Files as the library sends them: whole, in memory. */
export const rawFiles = (uploads: readonly Upload[]): Promise<RawFile[]> =>
  Promise.all(
    uploads.map(async upload => ({
      name: fileName(upload.name),
      data: Buffer.from(await new Response(upload.open()).arrayBuffer()),
      contentType: upload.type ?? 'application/octet-stream',
    })),
  )

/** What a message's body says of the files that go with it. */
export const attached = (files: readonly RawFile[]) =>
  files.length === 0 ? {} : { attachments: files.map(({ name }, id) => ({ id: String(id), filename: name })) }
