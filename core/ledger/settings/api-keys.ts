/** Keys by which programs speak for somebody: each is an account of its network. */
import type { NetworkId, UserId } from '../../event.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

export interface ApiKey {
  readonly network: NetworkId
  readonly account: UserId
  readonly prefix: string
  readonly hash: string
  /** The agent it acts for; null: the person who has the account. */
  readonly agent: string | null
  readonly scopes: readonly string[]
  /** Names of rooms; null: all that its owner may see. */
  readonly rooms: readonly string[] | null
  readonly perMinute: number | null
  /** US dollars a day. */
  readonly budgetUsd: number | null
  /** It speaks for users of its own, and is believed who they are. */
  readonly forwards: boolean
  readonly createdMs: number
  readonly createdBy: string
  readonly untilMs: number | null
  readonly usedMs: number | null
  readonly revokedMs: number | null
}

const numberOf = (value: Row[string] | undefined): number | null => (value == null ? null : Number(value))

const keyOf = (row: Row): ApiKey => ({
  network: row['network'] as NetworkId,
  account: row['account'] as UserId,
  prefix: row['prefix'] as string,
  hash: row['hash'] as string,
  agent: row['agent'] as string | null,
  scopes: JSON.parse(row['scopes'] as string) as string[],
  rooms: row['rooms'] === null ? null : (JSON.parse(row['rooms'] as string) as string[]),
  perMinute: numberOf(row['per_minute']),
  budgetUsd: numberOf(row['budget_usd']),
  forwards: row['forwards'] === 1,
  createdMs: Number(row['created_ms']),
  createdBy: row['created_by'] as string,
  untilMs: numberOf(row['until_ms']),
  usedMs: numberOf(row['used_ms']),
  revokedMs: numberOf(row['revoked_ms']),
})

const one = (row: Row | undefined): ApiKey | null => (row ? keyOf(row) : null)

/** What a key is compared with, found or not: `none` where no key has this prefix. */
export const hashByPrefix = (tx: Tx, prefix: string, none: string): string =>
  sql(tx, 'SELECT coalesce((SELECT hash FROM api_key WHERE prefix = ?), ?)')
    .pluck()
    .get(prefix, none) as unknown as string

export const keyByPrefix = (tx: Tx, prefix: string): ApiKey | null =>
  one(sql(tx, 'SELECT * FROM api_key WHERE prefix = ?').get(prefix))

/** The key that an account is; null for accounts of people and programs themselves. */
export const keyOfAccount = (tx: Tx, network: string, account: string): ApiKey | null =>
  one(sql(tx, 'SELECT * FROM api_key WHERE network = ? AND account = ?').get(network, account))

export const apiKeys = (tx: Tx): ApiKey[] => sql(tx, 'SELECT * FROM api_key ORDER BY network, account').all().map(keyOf)

/** Whether a key opens anything now, as far as it says so itself. */
export const isInForce = ({ revokedMs, untilMs }: ApiKey, nowMs: number): boolean =>
  revokedMs === null && (untilMs === null || untilMs > nowMs)

export function insertKey(tx: Tx, key: ApiKey): void {
  sql(
    tx,
    `INSERT INTO api_key (network, account, prefix, hash, agent, scopes, rooms, per_minute, budget_usd, forwards, created_ms,
     created_by, until_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    key.network,
    key.account,
    key.prefix,
    key.hash,
    key.agent,
    JSON.stringify(key.scopes),
    key.rooms && JSON.stringify(key.rooms),
    key.perMinute,
    key.budgetUsd,
    key.forwards ? 1 : 0,
    key.createdMs,
    key.createdBy,
    key.untilMs,
  )
}

/** Another secret for the same account: the one before opens nothing from now on. */
export const rotateKey = (tx: Tx, { network, account, prefix, hash }: ApiKey): void => {
  sql(tx, 'UPDATE api_key SET prefix = ?, hash = ? WHERE network = ? AND account = ?').run(
    prefix,
    hash,
    network,
    account,
  )
}

export const revokeKey = (tx: Tx, { network, account }: Pick<ApiKey, 'network' | 'account'>, nowMs: number): void => {
  sql(tx, 'UPDATE api_key SET revoked_ms = ? WHERE network = ? AND account = ? AND revoked_ms IS NULL').run(
    nowMs,
    network,
    account,
  )
}

/** All that act for an agent. */
export const revokeKeysOf = (tx: Tx, agent: string, nowMs: number): void => {
  sql(tx, 'UPDATE api_key SET revoked_ms = ? WHERE agent = ? AND revoked_ms IS NULL').run(nowMs, agent)
}

/** Accounts, as `network:account`, that speak for whoever has this one: keys of theirs that count. */
export const keysBehind = (tx: Tx, { network, user }: { network: string; user: string }): string[] =>
  sql(
    tx,
    `SELECT k.network, k.account FROM api_key k WHERE k.revoked_ms IS NULL AND (
     k.agent = (SELECT name FROM agent WHERE network = @network AND name = @user)
     OR EXISTS (SELECT 1 FROM identity i JOIN identity o ON o.person = i.person
       WHERE i.network = k.network AND i.user = k.account AND o.network = @network AND o.user = @user))
     ORDER BY k.network, k.account`,
  )
    .all({ network, user })
    .map(row => `${row['network'] as string}:${row['account'] as string}`)

export const noteKeyUse = (tx: Tx, { network, account }: Pick<ApiKey, 'network' | 'account'>, nowMs: number): void => {
  sql(tx, 'UPDATE api_key SET used_ms = ? WHERE network = ? AND account = ?').run(nowMs, network, account)
}
