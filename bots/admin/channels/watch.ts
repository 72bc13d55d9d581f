import type { Context } from '../../../config/context.ts'
import { isManaged } from '../../../config/networks.ts'
import { RateLimit } from '../../../core/command/state/rate.ts'
import { type MemberEvent, type NetworkId, type UserId } from '../../../core/event.ts'
import { type Agent, agentOf, agents, engaged } from '../../../core/ledger/agents/agents.ts'
import { type NewOrder, orderByKey, placeOrder } from '../../../core/ledger/out/orders.ts'
import { memberSince, membersOf } from '../../../core/ledger/people/members.ts'
import { presenceAt } from '../../../core/ledger/people/presence.ts'
import type { Stored } from '../../../core/ledger/record/events.ts'
import { dropChannel, type KeptChannel, keptChannel, keptChannels } from '../../../core/ledger/settings/channels.ts'
import { advanceTo } from '../../../core/ledger/settings/consumers.ts'
import { networkStatuses } from '../../../core/ledger/settings/networks.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { consume } from '../../../core/process/consumer.ts'
import { loneRoom } from '../../../core/rooms.ts'
import { say } from '../../../core/say.ts'
import { duration } from '../../../core/text/text.ts'
import { Doors } from './doors.ts'
import { joiners } from './members.ts'
import { greet, natureOf, typeFor } from './nature.ts'
import { bringOrders, keepOrder, releaseOrder } from './orders.ts'

const consumer = 'admin.channels'
/** A program that comes and goes is told its instructions this often at most. */
const greetings = { perMinute: 1, burst: 1 }
/** How often agents are looked for that should be somewhere. */
const bringEveryMs = 5_000

/**
 * What happens to channels by itself: instructions for agents that enter, agents that are made to enter, channels whose
 * time is over, and channels made as they shall be when their network comes up. All of it is keyed, so that it happens
 * once however often the process dies.
 */
export class ChannelWatch {
  readonly #context: Context
  readonly #greeted = new RateLimit()
  readonly #doors: Doors
  #broughtMs = 0

  constructor(context: Context) {
    this.#context = context
    this.#doors = new Doors(context)
  }

  get #config() {
    return this.#context.settings.current
  }

  /** Follows who enters until the process stops. */
  async follow(): Promise<void> {
    this.#doors.watch()
    await consume(this.#context, { name: consumer, take: batch => this.#take(batch) })
  }

  async #take(batch: readonly Stored[]): Promise<void> {
    const entered = batch.filter(isArrival)
    if (entered.length === 0) return
    await this.#context.ledger.write(db => {
      for (const fact of entered) {
        this.#doors.entered(db, fact, Date.now())
        this.#entered(db, fact, Date.now())
      }
      advanceTo(db, consumer, batch.at(-1)?.seq ?? 0)
    })
  }

  #entered(db: Tx, { event, seq }: Stored<MemberEvent>, nowMs: number): void {
    const { place, sender } = event
    if (!sender.verified || !isManaged(this.#config, place.network)) return
    const agent = agentOf(db, place.network, sender.id)
    if (!agent || !engaged(agent, nowMs)) return
    for (const kept of keptChannels(db, place.network)) {
      for (const order of this.#missing(db, kept, nowMs, [agent])) placeOrder(db, order, nowMs)
    }
    const { types } = this.#config.channels
    const kept = keptChannel(db, place)
    const { greeting } = natureOf(types, kept ?? { type: typeFor(types, place.channel), modes: '', greeting: '' })
    if (greeting === '' || this.#greeted.ask(`${place.channel}\n${agent.name}`, greetings, nowMs) !== 'go') return
    // A notice: no program answers one, so that two can not keep each other talking.
    const content = {
      segments: [{ kind: 'text' as const, text: greet(greeting, sender.name, place.channel) }],
      style: 'notice' as const,
    }
    const to = { in: loneRoom(place), only: sender.id }
    say(db, { bot: this.#context.name, content, ...to, key: `channel.greeting.${seq}` }, nowMs)
  }

  /** Looks at all that depends on time; an idle instance writes nothing. `nowMs` is a parameter for tests. */
  async sweep(nowMs = Date.now()): Promise<void> {
    const { ledger } = this.#context
    await this.#doors.sweep(nowMs)
    const bringing = nowMs - this.#broughtMs >= bringEveryMs
    if (bringing) this.#broughtMs = nowMs
    const due = await ledger.read(db => this.#due(db, bringing, nowMs))
    if (due.aged.length === 0 && due.orders.length === 0) return
    await ledger.write(db => {
      // Anew: what was changed since it was read has orders of its own, which an older state must not follow.
      const { aged, orders } = this.#due(db, bringing, nowMs)
      for (const order of orders) placeOrder(db, order, nowMs)
      for (const kept of aged) this.#age(db, kept, nowMs)
    })
  }

  #due(db: Tx, bringing: boolean, nowMs: number): { aged: KeptChannel[]; orders: NewOrder[] } {
    const kept = keptChannels(db)
    const aged = kept.filter(each => this.#warnMs(each) <= nowMs)
    const orders = [...this.#reconciling(db, kept), ...(bringing ? this.#brought(db, kept, nowMs) : [])]
    return { aged, orders: orders.filter(({ key }) => orderByKey(db, key) === null) }
  }

  /** For each managed network that is up: since when. */
  #marks(db: Tx): Map<string, string> {
    const up = networkStatuses(db).filter(({ network, state }) => state === 'up' && isManaged(this.#config, network))
    return new Map(up.map(({ network, sinceMs }) => [network, `up${sinceMs}`]))
  }

  /** Each channel is made as it shall be whenever its network has come up. */
  #reconciling(db: Tx, kept: readonly KeptChannel[]): NewOrder[] {
    const marks = this.#marks(db)
    return kept.flatMap(each => {
      const mark = marks.get(each.network)
      const { modes } = natureOf(this.#config.channels.types, each)
      return mark === undefined ? [] : [keepOrder(each, { modes, topic: each.topic }, mark)]
    })
  }

  /** When a channel hears of its end: the configured time before, but never in the first four fifths of its life. */
  #warnMs({ untilMs, createdMs }: KeptChannel): number {
    if (untilMs === null) return Number.POSITIVE_INFINITY
    return untilMs - Math.min(this.#config.channels.warnSeconds * 1000, (untilMs - createdMs) / 5)
  }

  #age(db: Tx, kept: KeptChannel, nowMs: number): void {
    const { network, channel, untilMs } = kept
    if (untilMs === null || this.#warnMs(kept) > nowMs) return
    if (untilMs <= nowMs) {
      dropChannel(db, kept)
      placeOrder(db, releaseOrder(kept, `the time of ${channel} is over`, `ttl${untilMs}`), nowMs)
      return
    }
    const { prefix } = this.#config.commands
    const line = `${channel} ends in ${duration(untilMs - nowMs)} and everybody leaves it: ${prefix}channel set ${channel} ttl 2h keeps it longer`
    const content = { segments: [{ kind: 'text' as const, text: line }] }
    const key = `channel.warn.${network}.${channel}.${untilMs}`
    say(db, { bot: this.#context.name, content, in: loneRoom({ network, channel }), key }, nowMs)
  }

  #brought(db: Tx, kept: readonly KeptChannel[], nowMs: number): NewOrder[] {
    const all = agents(db)
    return kept.flatMap(each => this.#missing(db, each, nowMs, all))
  }

  /** Makes those of `from` enter whom the channel's type wants, who are connected and not in. Once for each time they come. */
  #missing(db: Tx, kept: KeptChannel, nowMs: number, from: readonly Agent[]): NewOrder[] {
    const { join } = natureOf(this.#config.channels.types, kept)
    const up = this.#marks(db).get(kept.network)
    if (join.length === 0 || up === undefined) return []
    const inside = new Set(membersOf(db, kept).map(({ user }) => user as string))
    return joiners(db, kept, join, nowMs, from).flatMap(({ name }) => {
      const mark = inside.has(name) ? null : comingOf(db, kept.network, name as UserId)
      return mark === null ? [] : bringOrders(kept, [name as UserId], `${name}.${up}.${mark}`)
    })
  }
}

const isArrival = (fact: Stored): fact is Stored<MemberEvent> =>
  fact.event.kind === 'member' &&
  fact.event.change === 'join' &&
  fact.event.origin === 'live' &&
  fact.event.sender.kind !== 'self'

/** Changes each time somebody comes online; null while they are not there. */
function comingOf(tx: Tx, network: NetworkId, user: UserId): string | null {
  const presence = presenceAt(tx, network, user)
  if (presence) return presence.state === 'offline' ? null : `on${presence.sinceMs}`
  const sinceMs = memberSince(tx, network, user)
  return sinceMs === null ? null : `in${sinceMs}`
}
