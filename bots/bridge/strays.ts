import type { MessageId } from '../../core/event.ts'
import type { Stored } from '../../core/ledger/events.ts'

/** Edits and deletes whose message has not come yet, by place and native id: some platforms tell them in that order. */
export type Strays = ReadonlyMap<string, readonly Stored[]>

const mostTargets = 1000

/** One message by its native id. */
export const targetKey = (place: number, id: MessageId): string => `${place}\n${id}`

/** With one more; the oldest are forgotten. */
export function withStray(strays: Map<string, readonly Stored[]>, stray: Stored): void {
  const { event, placeId } = stray
  if (event.kind !== 'edit' && event.kind !== 'delete') return
  const key = targetKey(placeId, event.target)
  strays.set(key, [...(strays.get(key) ?? []), stray])
  const [oldest] = strays.keys()
  if (strays.size > mostTargets && oldest !== undefined) strays.delete(oldest)
}
