import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import type { NativeCommand, NativeField } from '../adapter.ts'
import { inboundContract } from './adapter-in.ts'
import { mediaContract } from './adapter-media.ts'
import { outboundContract } from './adapter-out.ts'
import { threadContract } from './adapter-threads.ts'
import { awayNeeds, type Check, draft, LeftOut, needs, type OpenFixture, World, within } from './harness.ts'

export type { ContractFixture } from './harness.ts'

/**
 * The suite that every implementation of `Adapter` runs, against its real server. What a platform has no method or
 * hook for is left out; everything else is the same for all.
 */
export function adapterContract(name: string, open: OpenFixture): void {
  const check: Check = (title, body) => {
    test(title, { timeout: 120_000 }, async t => {
      const world = new World(await open(t))
      try {
        await body(world)
      } catch (error) {
        if (!(error instanceof LeftOut)) throw error
        t.skip(error.message)
      } finally {
        await world.stop()
      }
    })
  }
  describe(`adapter contract: ${name}`, () => {
    lifeContract(check)
    inboundContract(check)
    outboundContract(check)
    threadContract(check)
    mediaContract(check)
  })
}

function lifeContract(check: Check): void {
  check('status tells the truth and every change of it is told', async world => {
    const adapter = await world.create()
    assert.notEqual(adapter.status().state, 'up', 'not up before it runs')
    const running = await world.start()
    assert.equal(running.adapter.status().state, 'up')
    assert.ok(Math.abs(Date.now() - running.adapter.status().sinceMs) < 60_000, 'sinceMs is Unix milliseconds')
    await world.platform.offline?.(async () => {
      const down = (): boolean => running.adapter.status().state !== 'up'
      await world.book.until(down, 'the status to leave up')
      assert.ok(running.adapter.status().reason, 'a network that is not up says why')
    })
    await world.up(running.adapter)
    await running.stop()
    assert.notEqual(running.adapter.status().state, 'up', 'not up after the abort')
  })

  check('the network of the place is its own, and its limits are usable', async world => {
    const adapter = await world.create()
    assert.equal(adapter.network, world.place.network)
    assert.ok(adapter.limits.textBytes >= 16)
    assert.ok((adapter.pipelined ?? 1) >= 1)
  })

  check("commands of the platform's own are taken, as often as they are shown", async world => {
    const { adapter } = await world.start()
    needs(adapter.announce !== undefined, 'commands of its own')
    const fields: NativeField[] = [
      { name: 'who', type: 'person', required: true, summary: 'a name' },
      { name: 'count', type: 'integer', required: false, min: 1, max: 100 },
      { name: 'how', type: 'choice', required: false, choices: Array.from({ length: 40 }, (_, n) => `way-${n}`) },
      { name: 'dry', type: 'flag', required: false },
    ]
    const named = (name: string, own: readonly NativeField[]): NativeCommand => ({
      name, bot: 'admin', summary: 'does it, '.repeat(30), private: true, role: 'guest', fields: own,
    }) // biome-ignore format: one line
    const all = [
      named('stop', []),
      named('role grant', fields),
      named('role list', []),
      named('very-long-name', fields),
    ]
    for (const commands of [all, all, all.slice(1)]) {
      await within(adapter.announce(commands, AbortSignal.timeout(10_000)), 'commands to be taken')
    }
  })

  check('nothing is left open after the abort', async world => {
    const running = await world.start()
    await running.adapter.send(world.place, draft('before the end'), 'end-1')
    await running.stop()
    assert.equal(await world.platform.connections(), 0)
    await assert.rejects(running.adapter.send(world.place, draft('too late'), 'end-2'), { name: 'ChanopError' })
  })

  check('an abort while the network is away ends run as well', async world => {
    needs(world.platform.offline !== undefined, awayNeeds)
    const running = await world.start()
    await world.platform.offline(async () => {
      await world.book.until(() => running.adapter.status().state !== 'up', 'the status to leave up')
      await running.stop()
    })
    assert.equal(await world.platform.connections(), 0)
  })

  check('an abort while events wait for the ledger ends run once they are settled', async world => {
    const running = await world.start()
    const release = world.book.hold()
    await world.platform.say('held')
    await world.book.until(() => world.book.offered.some(({ kind }) => kind === 'message'), 'the sink to be called')
    const stopped = running.stop()
    release('take')
    await stopped
  })
}
