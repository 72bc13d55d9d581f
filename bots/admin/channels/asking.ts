/** What the commands about channels share. */
import { byOf, type Ordered } from '../../../core/command/command.ts'
import { nameOf } from '../../../core/command/parse/values.ts'
import { mustHoldIn } from '../../../core/command/visit/gate.ts'
import { ChanopError } from '../../../core/error.ts'
import { formatPlace, type Place, type UserId } from '../../../core/event.ts'
import { type KeptChannel, keptChannels } from '../../../core/ledger/settings/channels.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { nearest } from '../../../core/text/nearest.ts'
import { duration, escapeInline, parseDuration } from '../../../core/text/text.ts'
import { known as knownIn } from '../known.ts'
import type { Context } from '../services.ts'
import { joiners } from './members.ts'
import { natureOf, typeFor } from './nature.ts'
import { bringOrders, keepOrder } from './orders.ts'
import { channelMeant, configured } from './places.ts'

export const channel = nameOf('place').describe('#channel, or network:#channel')
export const configOf = ({ services }: Context) => services.context.settings.current
export const meant = (context: Context, written: string): Place =>
  channelMeant(configOf(context), context.caller.network, written)

const noType = 'none'

/** The type by its prefix; `none` is ''. Throws with the nearest one. */
export function typeNamed(context: Context, written: string): string {
  const { types } = configOf(context).channels
  const prefix = written.replace(/^#/, '').toLowerCase()
  if (prefix === noType) return ''
  if (Object.hasOwn(types, prefix)) return prefix
  const near = nearest(prefix, Object.keys(types))
  const hint = near ? `did you mean ${near}?` : `!config set channels.types.${prefix}.ttl 2h makes one`
  throw new ChanopError('not-found', `no type of channels ${prefix.slice(0, 40)}; ${hint}`)
}

/** `2h` from now; `never` is null. */
export function endOf(context: Context, written: string): number | null {
  if (written.toLowerCase() === 'never') return null
  const ttlMs = parseDuration(written)
  if (ttlMs !== null && ttlMs > 0 && ttlMs < 1e14) return context.atMs + ttlMs
  throw new ChanopError('usage', `'${written.slice(0, 20)}' is no time to live: write 30m, 2h, 3d or never`)
}

export function fresh(context: Context, place: Place): KeptChannel {
  const type = typeFor(configOf(context).channels.types, place.channel)
  return {
    network: place.network,
    channel: place.channel,
    type,
    topic: '',
    modes: '',
    locked: false,
    greeting: '',
    untilMs: null,
    createdMs: context.atMs,
    createdBy: byOf(context.caller),
  }
}

/**
 * What is kept of a channel, `ruled` for operators of its room alone; one that the configuration names needs no `channel add`.
 * Throws `not-found` in the same words whether it is not kept or the asker may not know of it.
 */
export function known(db: Tx, context: Context, place: Place, ruled?: 'ruled'): KeptChannel {
  const room = context.services.context.rooms.from(place).name
  const all = channelsKnown(db, context, place.network, 'private')
  const found = all.find(({ channel }) => channel === place.channel)
  if (found) {
    if (ruled) mustHoldIn(db, context.caller, room, 'operator', context.atMs)
    return found
  }
  const near = nearest(
    place.channel,
    all.map(({ channel }) => channel),
  )
  const hint = near ? `did you mean ${near}?` : `!channel add ${place.channel} makes it`
  throw new ChanopError('not-found', `${formatPlace(place)} is not kept here; ${hint}`)
}

/** The channels of a network that is ours, of which those who read the answer may know, by name. */
export function channelsKnown(
  db: Tx,
  context: Context,
  network: Place['network'],
  reply: 'public' | 'private',
): KeptChannel[] {
  const named = configured(configOf(context), network).map(channel => fresh(context, { network, channel }))
  const all = [...named, ...keptChannels(db, network)]
  const knows = knownIn(db, context, reply)
  const byName = new Map(all.map(each => [each.channel, each]))
  return [...byName.values()].filter(each => knows.place(each)).sort((a, b) => (a.channel < b.channel ? -1 : 1))
}

/** `type task-, +im, ends in 2h, locked` */
export function traits(context: Context, kept: KeptChannel): string[] {
  const { type, modes } = natureOf(configOf(context).channels.types, kept)
  return [
    type && `type ${type}`,
    modes,
    kept.untilMs === null ? '' : `ends in ${duration(Math.max(0, kept.untilMs - context.atMs), 2)}`,
    kept.locked ? 'locked' : '',
  ].filter(Boolean)
}

export const listed = (context: Context, kept: KeptChannel): string => {
  const said = traits(context, kept)
  return said.length > 0 ? `: ${said.join(', ')}` : ''
}

/** Makes the server's channel as the ledger has it, and says how that ended. */
export function applied(context: Context, kept: KeptChannel, change: { modes: string }, done: string): Ordered {
  return {
    order: keepOrder(kept, { modes: change.modes, topic: kept.topic }, `${context.event.seq}`),
    done,
    failed: `${escapeInline(formatPlace(kept))}: the server did not do it: {reason}`,
  }
}

/** Agents whom the type wants in, after we are in ourselves: nobody is to be missed. */
export async function brought(context: Context, place: Place, selectors: readonly string[]): Promise<Ordered[]> {
  const agents = await context.ledger.read(db => joiners(db, place, selectors, context.atMs))
  const users = agents.map(({ name }) => name as UserId)
  return bringOrders(place, users, `${context.event.seq}`).map(order => ({ order, done: '', failed: '' }))
}

/** What the configuration names stays as long as it does. */
export function refuseConfigured(context: Context, place: Place, why: string): void {
  if (!configured(configOf(context), place.network).includes(place.channel)) return
  throw new ChanopError(
    'conflict',
    `${formatPlace(place)} is in the configuration, ${why}: !room unlink it and !part it first`,
  )
}
