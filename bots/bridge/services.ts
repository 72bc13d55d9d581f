import { commandsOf } from '../../core/command/command.ts'
import type { Bridge } from './bridge.ts'

/** What the bridge offers to its commands. */
export interface BridgeServices {
  readonly bridge: Bridge
}

export const declare = commandsOf<BridgeServices>('bridge')
