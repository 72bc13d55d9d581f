import type { MessageId, Place } from '../../../core/event.ts'
import type { Stored } from '../../../core/ledger/events.ts'

/** Edits and deletes whose message has not come yet, by place and native id: some platforms tell them in that order. */
export type Strays = ReadonlyMap<string, readonly Stored[]>

const mostTargets = 1000

/** One message by its native id: unique in its channel, whatever its thread. */
export const targetKey = ({ network, channel }: Place, id: MessageId): string => `${network}\n${channel}\n${id}`

/** With one more; the oldest are forgotten. */
export function withStray(strays: Map<string, readonly Stored[]>, stray: Stored): void {
  const { event } = stray
  if (event.kind !== 'edit' && event.kind !== 'delete') return
  const key = targetKey(event.place, event.target)
  strays.set(key, [...(strays.get(key) ?? []), stray])
  const [oldest] = strays.keys()
  if (strays.size > mostTargets && oldest !== undefined) strays.delete(oldest)
}
