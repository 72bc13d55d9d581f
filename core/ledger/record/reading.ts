import { connect } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** A ledger that is only read, on a connection of its own: what takes long is in nobody's way. */
export interface Reading extends Disposable {
  readonly tx: Tx
}

/** Throws `ledger-*` errors that say what to do. */
export function openToRead(path: string): Reading {
  const connection = connect(path, { readonly: true })
  return { tx: connection, [Symbol.dispose]: () => void connection.close() }
}
