/** The oracle in a process of its own, until it is killed: `killed.child.ts FOLDER CONFIG`. */
import { join } from 'node:path'
import { configSchema } from '../../config/schema.ts'
import type { Bus } from '../../core/bus/bus.ts'
import { MemoryBus } from '../../core/bus/memory.ts'
import { Ledger } from '../../core/ledger/ledger.ts'
import { instanceId } from '../../core/ledger/meta.ts'
import { silentLog } from '../../core/log.ts'
import { Rooms } from '../../core/rooms.ts'
import { Settings } from '../../core/settings/settings.ts'
import { Vault } from '../../core/vault/secrets.ts'
import { runOracle } from './oracle.ts'

const [folder = '', config = ''] = process.argv.slice(2)
const ledger = Ledger.open(join(folder, 'ledger.db'))
/** Nobody rings here: it looks at the ledger 20 times a second. */
const bus: Bus = Object.defineProperty(new MemoryBus(), 'up', { value: false })
const settings = await Settings.open(config, configSchema, ledger)
await runOracle({
  name: 'oracle',
  log: silentLog(),
  ledger,
  bus,
  settings,
  rooms: Rooms.of(settings),
  vault: await Vault.open(join(folder, 'keys', 'vault.key'), ledger),
  instance: await ledger.write(instanceId),
  dataDir: folder,
  signal: new AbortController().signal,
  secret: async () => 'none',
  ready: () => process.stdout.write('ready\n'),
})
