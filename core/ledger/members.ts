import type { NetworkId, Place, UserId } from '../event.ts'
import { type Row, sql } from './sqlite.ts'
import type { Tx } from './tx.ts'

/** Who somebody is on one network. */
export interface Account {
  readonly network: NetworkId
  readonly user: UserId
}

type Channel = Pick<Place, 'network' | 'channel'>

const channelOf = (row: Row): Channel => ({
  network: row['network'] as Place['network'],
  channel: row['channel'] as Place['channel'],
})

/** Channels that one of these accounts is in now, where the platform vouches for it. No direct conversations. */
export const channelsWith = (tx: Tx, accounts: readonly Account[]): Channel[] =>
  sql(
    tx,
    `SELECT DISTINCT p.network, p.channel FROM json_each(?) j
     JOIN place p ON p.network = j.value ->> 'network' AND p.private = 0
     JOIN member m ON m.place = p.id AND m.user = j.value ->> 'user' AND m.verified = 1`,
  )
    .all(JSON.stringify(accounts))
    .map(channelOf)
