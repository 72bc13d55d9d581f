import { setMeta } from './meta.ts'
import { sql } from './sqlite.ts'
import type { Tx } from './tx.ts'

/** Set when something was wiped, until it is out of the files too (`Ledger.scrub`). */
export const scrubMark = 'scrub'

/** Overwrites the words of a message that held a secret, and of its copies: the record keeps that it was said, not what. */
export function wipe(tx: Tx, seq: number, masked: string): void {
  const content = JSON.stringify({ segments: [{ kind: 'text', text: masked }] })
  sql(tx, "UPDATE event SET body = json_remove(json_set(body, '$.content', json(?)), '$.asked') WHERE seq = ?").run(
    content,
    seq,
  )
  sql(tx, 'UPDATE revision SET content = ? WHERE seq = ? AND content IS NOT NULL').run(content, seq)
  sql(
    tx,
    `UPDATE delivery SET act = json_set(act, iif(act ->> 'do' = 'edit', '$.draft.content', '$.content'), json(?))
     WHERE source = ? AND act ->> 'do' IN ('send', 'edit')`,
  ).run(content, seq)
  setMeta(tx, scrubMark, `${seq}`)
}
