import { createHash } from 'node:crypto'
import type { Context } from '../../../config/context.ts'
import { isManaged, managedNetworks } from '../../../config/networks.ts'
import type { Config } from '../../../config/schema.ts'
import { admitted, mayBeIn } from '../../../core/access/admission.ts'
import { asChanopError } from '../../../core/error.ts'
import { formatPlace, type MemberEvent, type Place } from '../../../core/event.ts'
import { type Agent, agents } from '../../../core/ledger/agents/agents.ts'
import { type NewOrder, placeOrder } from '../../../core/ledger/out/orders.ts'
import { type Door, doorOf, storeDoor } from '../../../core/ledger/people/admission.ts'
import type { Stored } from '../../../core/ledger/record/events.ts'
import { keptChannels } from '../../../core/ledger/settings/channels.ts'
import { networkStatuses } from '../../../core/ledger/settings/networks.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Rooms } from '../../../core/rooms.ts'
import { configured } from './places.ts'

type Where = Pick<Place, 'network' | 'channel'>

/** Changes of roles and engagements come in bursts: looked at at once, then not more often than this. */
const restMs = 250

/** Every channel of the networks we run that we are to be in. */
function channels(tx: Tx, config: Config): Where[] {
  const named = managedNetworks(config).flatMap(network =>
    configured(config, network).map(channel => ({ network, channel })),
  )
  const kept = keptChannels(tx).filter(({ network }) => isManaged(config, network))
  const all = [...named, ...kept].map(({ network, channel }) => ({ network, channel }))
  return [...new Map(all.map(where => [formatPlace(where), where])).values()]
}

const admitOrder = ({ network, channel }: Where, serial: number): NewOrder => ({
  key: `channel.admit.${network}.${channel}.${serial}`,
  network,
  kind: 'place.admit',
  args: { channel },
})

interface Change {
  readonly where: Where
  readonly door: Door
}

/**
 * Keeps closed channels closed: whenever roles, engagements or rooms change, or a network comes up, each channel whose list
 * would be another one gets an order. What is ordered follows from the ledger alone, so that a crash loses no change.
 */
export class Doors {
  readonly #context: Context
  #busy = false
  #lookedMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(context: Context) {
    this.#context = context
  }

  /** Looks whenever something is written here or elsewhere, until the process stops. */
  watch(): void {
    const { ledger, bus, settings, signal } = this.#context
    const look = (): void => this.#soon()
    const off = [ledger.onCommit(look), bus.onRing(look), settings.onChange(look)]
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(this.#timer)
        for (const stop of off) stop()
      },
      { once: true },
    )
  }

  #soon(): void {
    if (this.#timer || this.#context.signal.aborted) return
    const waitMs = Math.max(0, this.#lookedMs + restMs - performance.now())
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.sweep().catch((error: unknown) => this.#context.log.error({ error }, asChanopError(error).message))
    }, waitMs)
  }

  /** Orders what has changed; an idle instance writes nothing. */
  async sweep(nowMs = Date.now()): Promise<void> {
    if (this.#busy) return this.#soon()
    this.#busy = true
    this.#lookedMs = performance.now()
    try {
      const { ledger } = this.#context
      const due = await ledger.read(tx => this.#due(tx, nowMs))
      if (due.length === 0) return
      await ledger.write(tx => {
        for (const change of this.#due(tx, nowMs)) order(tx, change, nowMs)
      })
    } finally {
      this.#busy = false
    }
  }

  #due(tx: Tx, nowMs: number): Change[] {
    const config = this.#context.settings.current
    const { rooms } = this.#context
    const all = agents(tx)
    const up = new Map(
      networkStatuses(tx).flatMap(({ network, state, sinceMs }) =>
        state === 'up' ? [[network, sinceMs] as const] : [],
      ),
    )
    return channels(tx, config).flatMap(where => {
      const sinceMs = up.get(where.network)
      if (sinceMs === undefined) return []
      const door = this.#wanted(tx, rooms, where, { sinceMs, all, nowMs })
      return door ? [{ where, door }] : []
    })
  }

  /** The door as it shall be when that is not what was ordered last. An open channel that never was closed is left alone. */
  #wanted(
    tx: Tx,
    rooms: Rooms,
    where: Where,
    { sinceMs, all, nowMs }: { readonly sinceMs: number; readonly all: readonly Agent[]; readonly nowMs: number },
  ): Door | null {
    const before = doorOf(tx, where)
    const { open, name: room } = rooms.from(where)
    if (open && (before === null || before.open)) return null
    const names = open ? '' : admitted(tx, rooms, where, room, nowMs, all).join(' ')
    const digest = createHash('sha256')
      .update(`${sinceMs} ${room} ${open ? 'open' : names}`)
      .digest('base64url')
    if (before?.digest === digest) return null
    return { room, open, digest, serial: (before?.serial ?? 0) + 1 }
  }

  /** Somebody has come in whom the room does not admit: by an invitation, or before its door was closed. */
  entered(tx: Tx, { event }: Stored<MemberEvent>, nowMs: number): void {
    const { place, sender } = event
    if (!isManaged(this.#context.settings.current, place.network)) return
    const { rooms } = this.#context
    const before = doorOf(tx, place)
    if (!before || mayBeIn(tx, rooms, place, { network: place.network, sender }, nowMs)) return
    order(tx, { where: place, door: { ...before, serial: before.serial + 1 } }, nowMs)
  }
}

function order(tx: Tx, { where, door }: Change, nowMs: number): void {
  storeDoor(tx, where, door)
  placeOrder(tx, admitOrder(where, door.serial), nowMs)
}
