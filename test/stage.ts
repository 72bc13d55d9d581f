/** A bot's context on a stage's ledger, so that the examples of declarations can be said to real services. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configSchema } from '../config/schema.ts'
import { MemoryBus } from '../core/bus/memory.ts'
import type { Stage } from '../core/command/testing.ts'
import { instanceId } from '../core/ledger/meta.ts'
import { silentLog } from '../core/log.ts'
import type { BotContext } from '../core/process/bot.ts'
import { Rooms } from '../core/rooms.ts'
import { Settings } from '../core/settings/settings.ts'
import { resolveSecret } from '../core/vault/secrets.ts'

const config = `
owner: irc:alice
networks:
  irc: { kind: memory, channels: ['#general', '#ops'] }
  libera: { kind: memory, channels: ['#general'] }
rooms:
  general: { places: ['irc:#general', 'libera:#general'], open: true }
  ops: { places: ['irc:#ops'] }
`

export async function stageContext(
  stage: Stage,
  name: string,
): Promise<{ context: BotContext<typeof configSchema>; close(): Promise<void> }> {
  const { ledger, vault } = stage
  const dataDir = mkdtempSync(join(tmpdir(), 'chanop-stage-'))
  const file = join(dataDir, 'chanop.yaml')
  writeFileSync(file, config)
  const stop = new AbortController()
  const settings = await Settings.open(file, configSchema, ledger)
  const context: BotContext<typeof configSchema> = {
    name,
    log: silentLog(),
    ledger,
    vault,
    bus: new MemoryBus(),
    settings,
    rooms: Rooms.of(settings),
    instance: await ledger.write(instanceId),
    dataDir,
    signal: stop.signal,
    secret: reference => ledger.read(db => resolveSecret(db, vault, reference, {})),
    ready: () => undefined,
  }
  const close = async (): Promise<void> => {
    stop.abort()
    rmSync(dataDir, { recursive: true, force: true })
  }
  return { context, close }
}
