import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Bus } from '../bus/bus.ts'

const deadlineMs = 30_000

/** The next value that `subscribe` tells; rejects after a deadline. */
export function next<T>(subscribe: (listener: (value: T) => void) => () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('nothing came in time')), deadlineMs)
    const off = subscribe(value => {
      clearTimeout(timer)
      off()
      resolve(value)
    })
  })
}

/** Resolves once a bus reaches the others; rejects after a deadline. */
export const isUp = async (bus: Bus): Promise<void> => {
  if (!bus.up) await next<boolean>(listener => bus.onUp(listener))
}

/**
 * What every bus must do. `open` makes two ends of one new bus, as two processes have them, both up or on their way; they
 * are closed by the suite.
 */
export function busContract(
  name: string,
  open: (t: TestContext) => Promise<readonly [Bus, Bus]>,
  options: { skip?: string | false } = {},
): void {
  describe(`bus contract: ${name}`, { skip: options.skip ?? false }, () => {
    const check = (title: string, body: (a: Bus, b: Bus) => Promise<void>): void => {
      it(title, async t => {
        const [a, b] = await open(t)
        t.after(() => Promise.all([a.close(), b.close()]))
        await Promise.all([a, b].map(isUp))
        await body(a, b)
      })
    }
    /** Everything that `a` said before has reached `b` when this resolves: signals stay in order. */
    const barrier = async (a: Bus, b: Bus): Promise<void> => {
      const passed = next<{ by: string }>(listener => b.onSignal('settings', listener))
      a.signal('settings', { by: 'barrier' })
      await passed
    }

    check('both ends are up', async (a, b) => {
      assert.equal(a.up, true)
      assert.equal(b.up, true)
    })

    check('a ring reaches the other end, with its number', async (a, b) => {
      const heard = next<number>(listener => b.onRing(listener))
      a.ring(42)
      assert.equal(await heard, 42)
    })

    check('a ring never waits: its listeners run later', async (a, b) => {
      let heard = 0
      b.onRing(() => heard++)
      a.ring(1)
      assert.equal(heard, 0)
      await barrier(a, b)
      assert.equal(heard, 1)
    })

    check('a signal arrives as it was, on its topic alone', async (a, b) => {
      const others: unknown[] = []
      const stop = [b.onSignal('settings', payload => others.push(payload)), b.onRing(seq => others.push(seq))]
      const heard = next<unknown>(listener => b.onSignal('heartbeat', listener))
      const payload = { bot: 'a:b/c*[d] "x"\n👍', pid: 1, atMs: 2, rssBytes: 3 }
      a.signal('heartbeat', payload)
      assert.deepEqual(await heard, payload)
      for (const off of stop) off()
      await barrier(a, b)
      assert.deepEqual(others, [])
    })

    check('what a listener does to a payload stays with it', async (a, b) => {
      a.onSignal('settings', payload => Object.assign(payload, { by: 'another' }))
      b.onSignal('settings', payload => Object.assign(payload, { by: 'a third' }))
      const mine = { by: 'x' }
      a.signal('settings', mine)
      await barrier(a, b)
      await barrier(a, a)
      assert.equal(mine.by, 'x')
    })

    check('signals of one end stay in order', async (a, b) => {
      const heard: number[] = []
      b.onSignal('heartbeat', ({ atMs }) => heard.push(atMs))
      const ids = Array.from({ length: 400 }, (_, id) => id)
      for (const atMs of ids) a.signal('heartbeat', { bot: 'x', pid: 1, atMs, rssBytes: 0 })
      await barrier(a, b)
      assert.deepEqual(heard, ids)
    })

    check('a listener that is taken off hears no more; the others go on', async (a, b) => {
      const heard: string[] = []
      const off = b.onRing(seq => heard.push(`first ${seq}`))
      b.onRing(seq => heard.push(`second ${seq}`))
      a.ring(1)
      await barrier(a, b)
      off()
      a.ring(2)
      await barrier(a, b)
      assert.deepEqual(heard, ['first 1', 'second 1', 'second 2'])
    })

    check('a closed end says and hears nothing, and says so without failing', async (a, b) => {
      const heard: (number | boolean)[] = []
      a.onRing(seq => heard.push(seq))
      b.onRing(seq => heard.push(seq))
      b.onSignal('heartbeat', () => heard.push(true))
      a.onUp(up => heard.push(up))
      await a.close()
      assert.equal(a.up, false)
      a.ring(1)
      a.signal('heartbeat', { bot: 'x', pid: 1, atMs: 0, rssBytes: 0 })
      await barrier(b, b)
      assert.deepEqual(heard, [false])
      await a.close()
    })
  })
}
