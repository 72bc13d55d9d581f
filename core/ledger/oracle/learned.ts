import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** What a service's model has taught us by its answers. */
export interface Learned {
  /** Its tokens for one that we count. */
  readonly tokenFactor: number
  /** Parameters that it refuses. */
  readonly refused: readonly string[]
  /** The context that it really has; null: it was never noticed to cut. */
  readonly contextTokens: number | null
}

export const nothingLearned: Learned = { tokenFactor: 1, refused: [], contextTokens: null }

/** By `<base URL> <model>`. */
export const allLearned = (tx: Tx): Map<string, Learned> =>
  new Map(
    sql(tx, 'SELECT * FROM learned')
      .all()
      .map(row => [
        row['service'] as string,
        {
          tokenFactor: Number(row['token_factor']),
          refused: JSON.parse(row['refused'] as string) as string[],
          contextTokens: row['context_tokens'] === null ? null : Number(row['context_tokens']),
        },
      ]),
  )

export function keepLearned(tx: Tx, service: string, learned: Learned): void {
  sql(
    tx,
    `INSERT INTO learned VALUES (?, ?, ?, ?) ON CONFLICT (service) DO UPDATE SET token_factor = excluded.token_factor,
     refused = excluded.refused, context_tokens = excluded.context_tokens`,
  ).run(service, learned.tokenFactor, JSON.stringify(learned.refused), learned.contextTokens)
}
