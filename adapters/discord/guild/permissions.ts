import type { APIOverwrite } from 'discord.js'

/** Bits of docs.discord.com/developers/topics/permissions, with the names that Discord's own settings show. */
export const permissions = {
  addReactions: [1n << 6n, 'Add Reactions'],
  viewChannel: [1n << 10n, 'View Channel'],
  sendMessages: [1n << 11n, 'Send Messages'],
  attachFiles: [1n << 15n, 'Attach Files'],
  readHistory: [1n << 16n, 'Read Message History'],
  manageWebhooks: [1n << 29n, 'Manage Webhooks'],
  createThreads: [1n << 35n, 'Create Public Threads'],
  sendInThreads: [1n << 38n, 'Send Messages in Threads'],
} as const satisfies Record<string, readonly [bigint, string]>

export type Permission = keyof typeof permissions

const administrator = 1n << 3n
const everything = (1n << 64n) - 1n

export interface Holder {
  readonly id: string
  readonly roles: readonly string[]
}

export interface Grants {
  readonly guild: string
  readonly owner: string
  /** Bits of each role, by its id. */
  readonly roles: ReadonlyMap<string, bigint>
}

/** What somebody may do in a channel (docs.discord.com/developers/topics/permissions#permission-hierarchy). */
export function permissionsIn(grants: Grants, holder: Holder, overwrites: readonly APIOverwrite[]): bigint {
  const { guild, owner, roles } = grants
  if (holder.id === owner) return everything
  let base = roles.get(guild) ?? 0n
  for (const role of holder.roles) base |= roles.get(role) ?? 0n
  if ((base & administrator) !== 0n) return everything
  const apply = (found: readonly APIOverwrite[]): void => {
    base &= ~found.reduce((bits, { deny }) => bits | BigInt(deny), 0n)
    base |= found.reduce((bits, { allow }) => bits | BigInt(allow), 0n)
  }
  apply(overwrites.filter(({ id }) => id === guild))
  apply(overwrites.filter(({ id, type }) => Number(type) === 0 && id !== guild && holder.roles.includes(id)))
  apply(overwrites.filter(({ id, type }) => Number(type) === 1 && id === holder.id))
  return base
}

export const has = (bits: bigint, permission: Permission): boolean => (bits & permissions[permission][0]) !== 0n

export const missing = (bits: bigint, wanted: readonly Permission[]): string[] =>
  wanted.filter(permission => !has(bits, permission)).map(permission => permissions[permission][1])
