/** For tests: the adapter by itself, with a ledger and without the bridge. */
import type { AdapterContext } from '../../../core/adapter.ts'
import type { House } from '../../../test/house.ts'
import { HttpAdapter } from '../adapter.ts'
import { httpSchema } from '../config.ts'
import type { Routes } from '../house.ts'
import { web } from './world.ts'

/** On a port of its own once it runs; with these routes instead of all. */
export async function adapterOf(
  house: House,
  given: Pick<AdapterContext, 'log' | 'cursors' | 'changed'>,
  routes?: readonly Routes[],
): Promise<HttpAdapter> {
  const process = await house.context('bridge')
  const { ledger, bus, rooms, vault, settings, dataDir, instance } = process
  const own = {
    network: web,
    personas: [],
    places: [],
    secret: (name: string) => process.secret(name),
    instance,
    dataDir,
  }
  const config = httpSchema.parse({ kind: 'http', listen: '127.0.0.1:0', perMinute: 1_000_000 })
  const interior = { ledger, bus, rooms, vault, settings: () => settings.current }
  return new HttpAdapter(config, { ...given, ...own }, interior, routes)
}
