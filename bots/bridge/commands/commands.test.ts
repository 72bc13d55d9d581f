import { exampleTests } from '../../../core/contract/commands.ts'
import { stageContext } from '../../../test/stage.ts'
import { Bridge } from '../bridge.ts'
import { bridgeCommands } from '../run.ts'
import type { BridgeServices } from '../services.ts'

exampleTests<BridgeServices>('bridge', async stage => {
  const { context, ...open } = await stageContext(stage, 'bridge')
  return { commands: bridgeCommands, services: { bridge: new Bridge(context) }, close: () => open.close() }
})
