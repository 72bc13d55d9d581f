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
    const { url } = settings.current.redis
    const address = url ? { url } : { path: redisSocketPath(dataDir) }
    return runOracle(context, { wakes: runner => openTurnQueue({ address, instance, log }, ledger, runner) })
  },
})
