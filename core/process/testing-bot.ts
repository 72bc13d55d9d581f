/** A bot for tests of `runBot`: `testing-bot.ts [crash|reject|slow|hang|work|work-unready|another]`. Says on standard output what happens to it. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { storeSetting } from '../ledger/settings/settings.ts'
import { runBot } from './bot.ts'
import { isCompiled, work } from './testing-compiled.ts'

const schema = z.strictObject({
  name: z.string().default('test'),
  rooms: z.record(z.string(), z.never()).default({}),
  redis: z.strictObject({ url: z.string().nullable().default(null) }).prefault({}),
  logLevel: z.string().default('info'),
})
const say = (line: string): boolean => process.stdout.write(`${line}\n`)
const [manner = ''] = process.argv.slice(2)

/** Works without a pause, but for timers and signals. */
async function workUntilCompiled(signal: AbortSignal): Promise<void> {
  while (!isCompiled() && !signal.aborted) {
    work(100)
    await new Promise(resolve => setImmediate(resolve))
  }
  say(`compiled after ${Math.round(process.uptime())} s`)
}

/** Reads answers of a server that hangs up at once, slowly. */
async function readSlowly(): Promise<void> {
  let bytes = 30_000
  const server = createServer(socket => {
    socket
      .on('error', () => undefined)
      .once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${bytes}\r\nconnection: close\r\n\r\n`)
        socket.end(Buffer.alloc(bytes))
      })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  for (; bytes < 430_000; bytes += 10_007) {
    const { body } = await fetch(`http://127.0.0.1:${port}`)
    let got = 0
    for await (const piece of body as ReadableStream<Uint8Array>) {
      got += piece.length
      await setTimeout(1)
    }
    if (got !== bytes) say(`${got} of ${bytes}`)
  }
  say('read')
  server.close()
}

await runBot({
  name: manner === 'another' ? manner : 'tester',
  schema,
  checksLedger: true,
  main: async context => {
    if (manner === 'crash') throw new Error('it broke')
    if (manner === 'slow') await readSlowly()
    if (manner === 'reject') void Promise.reject(new Error('nobody listens'))
    context.settings.onChange(({ name }) => say(`name ${name}`))
    process.stdin.on('data', chunk => {
      const name = chunk.toString().trim()
      void context.ledger.write(db => storeSetting(db, 'name', name, 'test', Date.now()))
    })
    say(`secret ${await context.secret('env:CHANOP_TEST_SECRET').catch((error: Error) => error.message)}`)
    say(`at ${context.dataDir}`)
    if (manner.startsWith('work')) {
      work(10_000)
      say(isCompiled() ? 'compiled at once' : 'interpreted')
      if (manner === 'work-unready') await workUntilCompiled(context.signal)
    }
    context.ready()
    if (manner === 'work') await workUntilCompiled(context.signal)
    if (!context.signal.aborted) await new Promise(resolve => context.signal.addEventListener('abort', resolve))
    if (manner === 'hang') await setTimeout(60_000)
    say('drained')
  },
})
