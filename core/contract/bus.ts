import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Bus } from '../bus/bus.ts'

const deadlineMs = 10_000

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

/**
 * What every bus must do. `open` makes two ends of one new bus, as two processes have them, both up; they are closed
 * by the suite.
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
      b.onSignal('orders', payload => others.push(payload))
      b.onRing(seq => others.push(seq))
      const heard = next<unknown>(listener => b.onSignal('cancel', listener))
      const payload = { turn: 'a:b/c*[d]', reason: 'a person said "stop"\nnow 👍' }
      a.signal('cancel', payload)
      assert.deepEqual(await heard, payload)
      await barrier(a, b)
      assert.deepEqual(others, [])
    })

    check('what a listener does to a payload stays with it', async (a, b) => {
      b.onSignal('typing', payload => Object.assign(payload, { as: 'somebody else' }))
      const heard: string[] = []
      b.onSignal('delta', payload => heard.push(payload.text))
      const mine = { place: 'irc:#general', as: 'oracle', active: true }
      a.signal('typing', mine)
      a.signal('delta', { turn: '1', text: 'x' })
      await barrier(a, b)
      assert.equal(mine.as, 'oracle')
      assert.deepEqual(heard, ['x'])
    })

    check('signals of one end stay in order', async (a, b) => {
      const heard: number[] = []
      b.onSignal('deliveries', ({ id }) => heard.push(id))
      const ids = Array.from({ length: 500 }, (_, id) => id)
      for (const id of ids) a.signal('deliveries', { id })
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
      const heard: number[] = []
      a.onRing(seq => heard.push(seq))
      b.onRing(seq => heard.push(seq))
      await a.close()
      assert.equal(a.up, false)
      a.ring(1)
      a.signal('orders', { id: 1 })
      b.ring(2)
      await barrier(b, b)
      assert.deepEqual(heard, [2])
      await a.close()
    })
  })
}
