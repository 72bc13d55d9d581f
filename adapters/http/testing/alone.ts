/** For tests: the adapter by itself, with a ledger and without the bridge. */
import type { configSchema } from '../../../config/schema.ts'
import type { AdapterContext } from '../../../core/adapter.ts'
import type { BotContext } from '../../../core/process/bot.ts'
import type { Interior } from '../../../core/process/interior.ts'
import type { House } from '../../../test/house.ts'
import { HttpAdapter } from '../adapter.ts'
import { httpSchema } from '../config.ts'
import type { Routes } from '../house.ts'
import { web } from './world.ts'

type Process = Pick<BotContext<typeof configSchema>, 'ledger' | 'bus' | 'rooms' | 'vault' | 'settings'>

/** What an adapter of a process is given to show. */
export const interiorOf = ({ ledger, bus, rooms, vault, settings }: Process): Interior => ({
  ledger,
  bus,
  rooms,
  vault,
  settings: () => settings.current,
})

/** On a port of its own once it runs; with these routes instead of all. */
export async function adapterOf(
  house: House,
  given: Pick<AdapterContext, 'log' | 'cursors' | 'changed'>,
  routes?: readonly Routes[],
): Promise<HttpAdapter> {
  const process = await house.context('bridge')
  const { dataDir, instance } = process
  const own = {
    network: web,
    personas: [],
    places: [],
    secret: (name: string) => process.secret(name),
    instance,
    dataDir,
  }
  const config = httpSchema.parse({ kind: 'http', listen: '127.0.0.1:0', perMinute: 1_000_000 })
  return new HttpAdapter(config, { ...given, ...own }, interiorOf(process), routes)
}
