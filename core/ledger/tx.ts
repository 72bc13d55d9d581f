declare const opened: unique symbol

/**
 * The ledger inside `Ledger.read`, `write` or `mark`: what bots hold and hand on to the functions of this folder, which
 * know the tables. Nothing else can be done with it, so that all SQL stands here.
 */
export interface Tx {
  readonly [opened]: 'ledger'
}
