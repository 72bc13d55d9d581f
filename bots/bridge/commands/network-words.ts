/** What the commands about networks share: which is meant, what is stored, and what is said once it has come. */

import { isManaged } from '../../../config/networks.ts'
import type { Config } from '../../../config/schema.ts'
import type { CommandContext } from '../../../core/command/command.ts'
import { sayLater } from '../../../core/command/visit/later.ts'
import { ChanopError } from '../../../core/error.ts'
import { type NetworkDraft, networkDrafts } from '../../../core/ledger/settings/network-drafts.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { type Changes, changed, changing } from '../../../core/settings/settings-changing.ts'
import { nearest } from '../../../core/text/nearest.ts'
import { escapeInline } from '../../../core/text/text.ts'
import { sameAccount } from '../networks/setup.ts'
import type { BridgeServices } from '../services.ts'

export type Context = CommandContext<BridgeServices>
export type NetworkConfig = Config['networks'][string]

export const settingsOf = ({ services }: Context) => services.bridge.context.settings

export const nameOf = ({ caller }: Context): string => caller.person?.name ?? caller.account

export const draftNamed = async ({ ledger }: Context, name: string): Promise<NetworkDraft | null> =>
  (await ledger.read(networkDrafts)).find(draft => draft.name === name) ?? null

/** A configured network. Throws `not-found` with the nearest name. */
export async function networkNamed(context: Context, name: string): Promise<NetworkConfig> {
  const { networks } = settingsOf(context).current
  const found = Object.hasOwn(networks, name) ? networks[name] : undefined
  if (found) return found
  const { prefix } = context.settings
  if (await draftNamed(context, name)) {
    throw new ChanopError('conflict', `${name} is not set up yet: ${prefix}network add ${name} says what it needs`)
  }
  const near = nearest(name, Object.keys(networks))
  const hint = near ? `did you mean ${near}?` : `${prefix}networks lists them`
  throw new ChanopError('not-found', `no network ${name.slice(0, 40)}; ${hint}`)
}

/** Who is heard there would not be heard any more, and accounts live on the server that we run. Throws `conflict`. */
export function refuseUnheard(context: Context, name: string, what: string): void {
  if (isManaged(settingsOf(context).current, name)) {
    throw new ChanopError('conflict', `${name} is the server that Chanop runs, with everybody's accounts: it stays`)
  }
  if (context.caller.network === name) {
    throw new ChanopError('conflict', `you are heard on ${name}: ${what} it from another network`)
  }
}

/** One account is heard by one network. Throws `conflict`. */
export async function refuseTwice(
  context: Context,
  name: string,
  wanted: NetworkConfig,
  secrets: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { networks } = settingsOf(context).current
  const other = await sameAccount(context.services.bridge.context, name, wanted, secrets, networks)
  if (other === null) return
  const { prefix } = context.settings
  throw new ChanopError(
    'conflict',
    `${other} has this account already, and two would take what is said from each other: use that, or ${prefix}network off ${other} first`,
  )
}

/** Stores settings that fit with the answer; all bots take them over once that is committed. */
export function storing({ services: { bridge }, caller, atMs }: Context, changes: Changes): (tx: Tx) => void {
  bridge.context.settings.previewAll(changes)
  return changing({ services: bridge, caller, atMs }, changes).effect
}

/** Takes stored settings over, here and everywhere. */
export const takeOver = ({ services, caller }: Context): Promise<void> =>
  changed({ services: services.bridge, caller })()

const settleMs = 60_000

/** Says, once it was seen, how a network is that was just turned on or changed. Waits for nobody. */
export function tellHowItWent(context: Context, name: string, reply: 'public' | 'private', anew = false): void {
  const { bridge } = context.services
  const { log, signal } = bridge.context
  const work = async (): Promise<void> => {
    await (anew ? bridge.connections.restart(name) : bridge.connections.follow(settingsOf(context).current.networks))
    const end = AbortSignal.any([signal, AbortSignal.timeout(settleMs)])
    const lines = [statusLine(name, await bridge.connections.settled(name, end), context.settings.prefix)]
    if (!signal.aborted) await sayLater({ bot: bridge.context, context, reply }, { lines }, 'settled')
  }
  work().catch((error: unknown) => log.error({ error, network: name }, 'how a network is could not be said'))
}

type Seen = ReturnType<Context['services']['bridge']['connections']['statusOf']>

export function statusLine(name: string, seen: Seen, prefix: string): string {
  if (seen === null) return `${name} is not configured any more`
  const { state, server, reason } = seen
  const why = reason === undefined ? '' : `: ${escapeInline(reason)}`
  if (state === 'up') return [`${name} is up`, server && escapeInline(server)].filter(Boolean).join(' · ')
  if (state === 'connecting') return `${name} is still connecting${why}; ${prefix}network show ${name} says how it is`
  return `${name} is ${state}${why}`
}
