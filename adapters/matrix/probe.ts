import { addAbortListener } from 'node:events'
import type { Probe, ProbeContext } from '../../core/adapter.ts'
import type { ChannelId } from '../../core/event.ts'
import type { MatrixConfig } from './config.ts'
import { faultOf } from './link/faults.ts'
import { type Account, logIn } from './link/login.ts'
import { Wire } from './link/wire.ts'
import { object, type StrippedEvent, type SyncBatch, string, strippedEvents } from './native.ts'
import { oneLine } from './text/words.ts'

/** What tells rooms apart; nothing of what was said in them. */
const filter = JSON.stringify({
  presence: { types: [] },
  account_data: { types: [] },
  room: {
    timeline: { limit: 1, types: [] },
    state: { types: ['m.room.name', 'm.room.canonical_alias', 'm.room.encryption', 'm.room.tombstone'] },
    ephemeral: { types: [] },
    account_data: { types: [] },
  },
})

interface Looked {
  readonly id: string
  readonly alias: string | undefined
  readonly name: string
  readonly encrypted: boolean
  readonly replaced: boolean
  readonly joined: boolean
}

/** Who we are and which rooms there are. Moves no point of /sync: that is the adapter's own. */
export async function probe(config: MatrixConfig, context: ProbeContext): Promise<Probe> {
  const { signal } = context
  const wire = new Wire(config.homeserver)
  using _stopping = addAbortListener(signal, () => wire.close())
  try {
    const account = await logIn(wire, config, { ...context, device: null })
    const timeout = Math.floor(Math.random() * 100)
    const batch = await wire.ask<SyncBatch>('GET', '/sync', { query: { filter, timeout }, signal })
    if (account.passing) await wire.ask('POST', '/logout', { body: {} })
    const rooms = roomsOf(batch)
    return {
      account: account.user,
      server: wire.server,
      missing: missing(config, account, rooms),
      channels: rooms
        .filter(({ replaced }) => !replaced)
        .map(({ id, alias, name, joined }) => ({ channel: (alias ?? id) as ChannelId, name, joined })),
    }
  } catch (error) {
    throw faultOf(error)
  } finally {
    wire.close()
  }
}

function roomsOf({ rooms }: SyncBatch): Looked[] {
  const joined = Object.entries(rooms?.join ?? {}).map(([id, { state }]) =>
    look(id, strippedEvents(state?.events), true),
  )
  const invited = Object.entries(rooms?.invite ?? {}).map(([id, { invite_state: state }]) =>
    look(id, strippedEvents(state?.events), false),
  )
  return [...joined, ...invited]
}

function look(id: string, state: readonly StrippedEvent[], joined: boolean): Looked {
  const content = (type: string) => object(state.find(event => event.type === type)?.content)
  const alias = string(content('m.room.canonical_alias')['alias'])
  return {
    id,
    alias,
    name: oneLine(string(content('m.room.name')['name']) ?? alias ?? id),
    encrypted: state.some(({ type }) => type === 'm.room.encryption'),
    replaced: state.some(({ type }) => type === 'm.room.tombstone'),
    joined,
  }
}

function missing({ channels }: MatrixConfig, { device }: Account, rooms: readonly Looked[]): string[] {
  const known = (channel: string): Looked | undefined =>
    rooms.find(({ id, alias }) => id === channel || alias === channel)
  return [
    ...(device === null
      ? [
          'the token belongs to no device, the homeserver forgets what was sent with it: take one from a login (docs/matrix.md)',
        ]
      : []),
    ...rooms
      .filter(({ encrypted, joined }) => encrypted && joined)
      .map(({ name }) => `${name} is encrypted and can not be read: make a room without encryption`),
    ...channels
      .filter(channel => !known(channel)?.joined)
      .map(channel => `not in ${channel} yet: invite us there unless it is public`),
  ]
}
