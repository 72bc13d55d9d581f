import { reservedAs, typeReservedAs } from '../../../core/access/reserved.ts'
import { ChanopError } from '../../../core/error.ts'
import { agents } from '../../../core/ledger/agents/agents.ts'
import { groups } from '../../../core/ledger/people/groups.ts'
import { people } from '../../../core/ledger/people/people.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Context } from '../services.ts'

/** Throws `conflict` when a new person, agent or group would be called what already means something else. */
export function refuseReserved(tx: Tx, { services }: Context, name: string): void {
  const means = reservedAs(name, {
    commands: services.catalogue.refresh(tx).names,
    types: agents(tx).map(({ type }) => type),
    groups: [...groups(tx).keys()],
  })
  if (means) throw new ChanopError('conflict', `${name} is ${means} already: choose another name`)
}

/** Throws `conflict` when `@type` would mean something else too. */
export function refuseType(tx: Tx, type: string): void {
  const all = agents(tx)
  const means = typeReservedAs(type, {
    types: all.map(agent => agent.type),
    groups: [...groups(tx).keys()],
    others: [...all, ...people(tx)].map(({ name }) => name),
  })
  if (means) throw new ChanopError('conflict', `type ${type} is ${means} already: take another word`)
}
