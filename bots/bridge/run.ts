import type { configSchema } from '../../config/schema.ts'
import type { Command } from '../../core/command/command.ts'
import { openDesk } from '../../core/command/visit/desk.ts'
import type { BotContext } from '../../core/process/bot.ts'
import { Bridge, type BridgeOptions } from './bridge.ts'
import { importCommands } from './commands/import.ts'
import { networkSetupCommands } from './commands/network-setup.ts'
import { networkCommands } from './commands/networks.ts'
import { presenceCommands } from './commands/presence.ts'
import { roomSettingCommands } from './commands/room-settings.ts'
import { roomTestCommands } from './commands/room-test.ts'
import { roomCommands } from './commands/rooms.ts'
import type { BridgeServices } from './services.ts'

export const bridgeCommands: readonly Command<BridgeServices>[] = [
  ...roomCommands,
  ...networkCommands,
  ...networkSetupCommands,
  ...roomSettingCommands,
  ...roomTestCommands,
  ...importCommands,
  ...presenceCommands,
]

/** Connects, relays, delivers and answers until the process is asked to stop. */
export async function runBridge(context: BotContext<typeof configSchema>, options: BridgeOptions = {}): Promise<void> {
  const bridge = new Bridge(context, options)
  await bridge.start()
  const { served } = await openDesk(context, { commands: bridgeCommands, services: { bridge } })
  context.ready()
  await bridge.stopped()
  await served
}
