/** The commands of all bots, as each bot declared its own: JSON, opaque here. */
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** By name. */
export const declarations = (tx: Tx): string[] =>
  sql(tx, 'SELECT declaration FROM command ORDER BY name')
    .all()
    .map(row => row['declaration'] as string)

export function dropDeclarationsOf(tx: Tx, bot: string): void {
  sql(tx, 'DELETE FROM command WHERE bot = ?').run(bot)
}

export function addDeclaration(tx: Tx, name: string, bot: string, declaration: string): void {
  sql(tx, 'INSERT INTO command VALUES (?, ?, ?)').run(name, bot, declaration)
}
