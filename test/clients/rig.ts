/** Chanop with HTTP, a model and a key, for clients that others make. */

import { openWorld, type World } from '../../adapters/http/testing/world.ts'
import { ModelServer } from '../../bots/oracle/models/testing-server.ts'
import { runOracle } from '../../bots/oracle/oracle.ts'
import { play } from './service.ts'

export interface Rig {
  readonly world: World
  readonly service: ModelServer
  /** Requests that were hung up on before their answer was whole. */
  hungUp(): number
  close(): Promise<void>
}

export async function openRig(): Promise<Rig> {
  const closing: (() => void | Promise<void>)[] = []
  const t = { after: (done: () => void | Promise<void>) => closing.push(done) }
  let hungUp = 0
  const service = await ModelServer.listen(t, (response, request, count) => {
    void request.hungUp.then(() => hungUp++)
    return play(response, request, count)
  })
  const price = 'price: { inputPerMillion: 1, outputPerMillion: 1 }'
  const model = `provider: compatible, baseUrl: '${service.url}', ${price}`
  const world = await openWorld(t, {
    more: `models:
  main: { ${model}, model: test-model, tools: true, images: true, contextTokens: 100000 }
  numbers: { ${model}, model: test-numbers, embeddings: true }`,
  })
  await world.house.run('oracle', context => runOracle(context, { mindFolder: world.house.dataDir }))
  const close = async (): Promise<void> => {
    for (const done of closing) await done()
  }
  return { world, service, hungUp: () => hungUp, close }
}

/** Until it is so, or too long. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  mostMs = 20_000,
): Promise<void> {
  const endMs = performance.now() + mostMs
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`in vain for ${mostMs / 1000} s: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
