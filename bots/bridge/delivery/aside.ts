/** Where it is said what one person alone may see. */
import type { Adapter } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import { isNowhere, type Place } from '../../../core/event.ts'
import type { Delivery } from '../../../core/ledger/deliveries.ts'
import { isEphemeral } from './perform.ts'

/** It can't be said to one person among others here, or their direct conversation is had only later: that waits elsewhere. */
export function leadsElsewhere(adapter: Adapter, { act, place }: Delivery, thrown: unknown): boolean {
  if (act.do !== 'send' || act.only === undefined || isNowhere(place) || !(thrown instanceof ChanopError)) return false
  return thrown.code === 'unsupported' || (thrown.code === 'send-later' && !isEphemeral(adapter, act, place))
}

/** The direct conversation for what one person alone may see, where it can't be tried among others; null: say it here. */
export async function aside(adapter: Adapter, { act, place }: Delivery): Promise<Place | null> {
  if (act.do !== 'send' || act.only === undefined || isEphemeral(adapter, act, place)) return null
  if (!adapter.direct) throw new ChanopError('send-refused', 'this network can not reach one person alone')
  return adapter.direct(act.only)
}
