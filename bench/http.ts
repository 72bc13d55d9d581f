/** Requests a second of the bridge's HTTP, beside a bare fastify in a process of its own in the same run. */
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { World } from '../adapters/http/testing/world.ts'
import { runChild } from '../core/ledger/testing.ts'
import { BridgeProcess } from '../test/five/process.ts'
import { House } from '../test/house.ts'
import { median, say } from './figures.ts'

const connections = 32
const warmMs = 1500
const measureMs = 4000

const config = `
owner: chat:olga
networks:
  chat: { kind: memory, server: bench, channels: ['#general'] }
  web: { kind: http, listen: '127.0.0.1:0', perMinute: 1000000 }
rooms: { general: { places: ['chat:#general'], open: true } }
redis: { url: 'redis://127.0.0.1:1' }
`

interface Asked {
  readonly url: string
  readonly key: string
  readonly path: string
  readonly body?: object
}

/** One request; rejects when it is not answered with success. */
function once(agent: Agent, { url, key, path, body }: Asked): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const json = body && JSON.stringify(body)
  const headers = {
    authorization: `Bearer ${key}`,
    ...(json === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }),
  }
  const asked = request(url + path, { agent, method: json === undefined ? 'GET' : 'POST', headers }, answer => {
    answer.resume()
    answer.once('end', () => {
      if ((answer.statusCode ?? 500) < 300) resolve()
      else reject(new Error(`${path}: ${answer.statusCode}`))
    })
  })
  asked.once('error', reject)
  asked.end(json)
  return promise
}

/** How many are answered in a second, with so many under way at once. */
async function perSecond(asked: Asked): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  let answered = 0
  const untilMs = performance.now() + warmMs + measureMs
  const worker = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      await once(agent, asked)
      if (performance.now() > untilMs - measureMs) answered++
    }
  }
  await Promise.all(Array.from({ length: connections }, worker))
  agent.destroy()
  return answered / (measureMs / 1000)
}

export async function benchHttp(runs: number): Promise<void> {
  const closing: (() => void | Promise<void>)[] = []
  const t = { after: (done: () => void | Promise<void>) => void closing.unshift(done) }
  try {
    const house = new House(t, { config })
    const bridge = new BridgeProcess({ dataDir: house.dataDir, config: house.configFile, env: {} })
    t.after(() => bridge.kill())
    await bridge.start()
    const world = new World(house)
    await world.up()
    const bare = runChild(t, [process.execPath, join(import.meta.dirname, 'fastify.child.ts')])
    const port = (await bare.line(/^\d+/)).trim()
    const key = await world.key('olga', 'owner', { perMinute: 1_000_000 })
    const both = [
      { name: 'Chanop', url: world.url },
      { name: 'bare fastify', url: `http://127.0.0.1:${port}` },
    ]
    for (const [what, path, body] of [
      ['GET /v1/status', '/v1/status', undefined],
      ['a say', '/v1/channels/general/messages', { text: 'build 7 is done' }],
    ] as const) {
      const rates = new Map<string, number[]>(both.map(({ name }) => [name, []]))
      for (let run = 0; run < runs; run++)
        for (const { name, url } of both)
          rates.get(name)?.push(await perSecond({ url, key, path, ...(body ? { body } : {}) }))
      for (const { name } of both)
        say(`${what}, ${name}`, `${Math.round(median(rates.get(name) ?? []))} a second, ${connections} at once`)
    }
  } finally {
    for (const done of closing) await done()
  }
}
