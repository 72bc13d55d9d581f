/** A bot for tests of `runBot`: `testing-bot.ts [crash|hang]`. Says on standard output what happens to it. */
import { z } from 'zod'
import { storeSetting } from '../ledger/settings/settings.ts'
import { runBot } from './bot.ts'

const schema = z.strictObject({
  name: z.string().default('test'),
  rooms: z.record(z.string(), z.never()).default({}),
  redis: z.strictObject({ url: z.string().nullable().default(null) }).prefault({}),
  logLevel: z.string().default('info'),
})
const say = (line: string): boolean => process.stdout.write(`${line}\n`)
const [manner] = process.argv.slice(2)

await runBot({
  name: 'tester',
  schema,
  checksLedger: true,
  main: async context => {
    if (manner === 'crash') throw new Error('it broke')
    if (manner === 'reject') void Promise.reject(new Error('nobody listens'))
    context.settings.onChange(({ name }) => say(`name ${name}`))
    process.stdin.on('data', chunk => {
      const name = chunk.toString().trim()
      void context.ledger.write(db => storeSetting(db, 'name', name, 'test', Date.now()))
    })
    say(`secret ${await context.secret('env:CHANOP_TEST_SECRET').catch((error: Error) => error.message)}`)
    say(`at ${context.dataDir}`)
    context.ready()
    if (!context.signal.aborted) await new Promise(resolve => context.signal.addEventListener('abort', resolve))
    if (manner === 'hang') await new Promise(resolve => setTimeout(resolve, 60_000))
    say('drained')
  },
})
