import { configSchema } from '../../config/schema.ts'
import { runBot } from '../../core/bot.ts'
import { Bridge } from './bridge.ts'

await runBot({
  name: 'bridge',
  schema: configSchema,
  main: async context => {
    const bridge = new Bridge(context)
    await bridge.start()
    context.ready()
    await bridge.stopped()
  },
})
