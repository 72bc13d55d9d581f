import { configSchema } from '../../config/schema.ts'
import { redisSocketPath } from '../../core/paths.ts'
import { runBot } from '../../core/process/bot.ts'
import { runOracle } from './oracle.ts'
import { openTurnQueue } from './turns/queue.ts'

await runBot({
  name: 'oracle',
  schema: configSchema,
  main: context => {
    const { instance, log, ledger, settings, dataDir } = context
    const { redis, models } = settings.current
    const { url } = redis
    const address = url ? { url } : { path: redisSocketPath(dataDir) }
    const atOnce = Object.keys(models).length > 0
    return runOracle(context, {
      wakes: runner => openTurnQueue({ address, instance, log }, ledger, runner, { atOnce }),
    })
  },
})
