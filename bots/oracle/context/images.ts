import { buffer } from 'node:stream/consumers'
import type { Content, NetworkId } from '../../../core/event.ts'
import { copiedAs } from '../../../core/ledger/record/media.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { MediaStore } from '../../../core/media/store.ts'
import type { ModelContent } from '../models/contract.ts'

/** A picture of a question, in the media store. */
export interface Picture {
  readonly hash: string
  readonly name: string
  readonly type: string
}

const types = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp'])
const mostPictures = 4
const mostBytes = 5_000_000

/** The pictures of a message that were copied to the media store and that a model may be given. */
export const picturesIn = (tx: Tx, network: NetworkId, { attachments = [] }: Content): Picture[] =>
  attachments.flatMap(({ ref, name, type }) => {
    const copied = type !== undefined && types.has(type) ? copiedAs(tx, network, ref) : null
    if (!copied || 'error' in copied || copied.sizeBytes > mostBytes) return []
    return [{ hash: copied.hash, name, type: type as string }]
  })

/** The pictures as a model takes them; one that is not there any more is named in words. */
export async function shownPictures(store: MediaStore, pictures: readonly Picture[]): Promise<ModelContent[]> {
  const shown: ModelContent[] = []
  for (const { hash, name, type } of pictures.slice(0, mostPictures)) {
    const text = `[picture ${name}]`
    if (!(await store.use(hash))) shown.push({ kind: 'text', text })
    else {
      const bytes = await buffer(store.open(hash))
      shown.push({ kind: 'image', url: `data:${type};base64,${bytes.toString('base64')}`, text })
    }
  }
  return shown
}
