import type { configSchema } from '../../../config/schema.ts'
import { asChanopError } from '../../../core/error.ts'
import { storeSetting } from '../../../core/ledger/settings/settings.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Settings } from '../../../core/settings/settings.ts'
import { storeSecret, type Vault } from '../../../core/vault/secrets.ts'
import { type Plan, planImport } from './matterbridge.ts'

/** What of an import holds together with all that is in force, and what does not. */
export interface Import {
  readonly changes: Readonly<Record<string, unknown>>
  readonly plan: Plan
  readonly missed: readonly string[]
}

/** Reads a file and looks what of it can be taken over now. Throws `usage`. */
export function importOf(settings: Settings<typeof configSchema>, text: string): Import {
  const { networks, rooms } = settings.current
  const plan = planImport(text, {
    networks: new Set(Object.keys(networks)),
    rooms: new Set(Object.keys(rooms)),
    places: new Set(Object.values(rooms).flatMap(({ places }) => places)),
  })
  const changes: Record<string, unknown> = {}
  const missed = [...plan.missed]
  // What fits together is tried together, halves of what does not apart: each look reads all that is in force.
  const tried = (wanted: readonly (readonly [key: string, value: unknown])[]): void => {
    if (wanted.length === 0) return
    try {
      settings.checkAll({ ...changes, ...Object.fromEntries(wanted) })
      Object.assign(changes, Object.fromEntries(wanted))
    } catch (error) {
      if (wanted.length === 1) missed.push(asChanopError(error).message)
      else for (const half of halves(wanted)) tried(half)
    }
  }
  tried(Object.entries(plan.networks).map(([name, config]) => [`networks.${name}`, config]))
  tried(Object.entries(plan.rooms).map(([name, room]) => [`rooms.${name}`, room]))
  return { changes, plan, missed }
}

const halves = <T>(all: readonly T[]): T[][] => {
  const middle = Math.ceil(all.length / 2)
  return [all.slice(0, middle), all.slice(middle)]
}

/** Stores what was taken over, its tokens in the vault. In the caller's transaction. */
export function keepImport(tx: Tx, vault: Vault, { changes, plan }: Import, by: string, nowMs: number): void {
  for (const [name, value] of Object.entries(plan.secrets)) {
    const network = name.slice(0, name.lastIndexOf('.'))
    if (`networks.${network}` in changes) storeSecret(tx, vault, name, value, by, nowMs)
  }
  for (const [key, value] of Object.entries(changes)) storeSetting(tx, key, value, by, nowMs)
}

/** What was made and what was not, one line each. */
export function importLines({ changes, plan, missed }: Import): string[] {
  const made = (section: string, all: Readonly<Record<string, unknown>>): string[] =>
    Object.keys(all).filter(name => `${section}.${name}` in changes)
  const networks = made('networks', plan.networks).map(name => `${name} (${String(plan.networks[name]?.['kind'])})`)
  const rooms = made('rooms', plan.rooms).map(name => {
    const ways = plan.rooms[name]?.direction ?? {}
    return `room ${name}: ${plan.rooms[name]?.places.map(place => place + (ways[place] ? ` (${ways[place]})` : '')).join(' ⇄ ')}`
  })
  return [`networks: ${networks.join(', ') || 'none'}`, ...rooms, ...missed.map(line => `not taken over: ${line}`)]
}
