import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { silentLog } from '../../core/log.ts'
import { Intake } from './intake.ts'
import type { Told } from './wire/gateway.ts'

/** An intake that passes on what it was told as `mark`, and prepares what says so. */
function made(preparing: Map<string, Promise<void>> = new Map(), parents: Map<string, string> = new Map()) {
  const passed: string[] = []
  const intake = new Intake({
    directory: { channels: { get: (id: string) => ({ id }) } },
    following: { root: ({ id }: { id: string }) => parents.get(id) ?? id },
    happenings: {
      lifeOf: () => null,
      eventsOf: ({ mark }: Told) => {
        if (mark === 'odd') throw new TypeError('not as it was described')
        passed.push(mark)
        return []
      },
    },
    awaited: ({ mark }: Told) => preparing.get(mark) ?? null,
    push: () => undefined,
    log: silentLog(),
  } as unknown as ConstructorParameters<typeof Intake>[0])
  const told = (mark: string, channel = 'c'): void =>
    intake.take({ packet: { t: 'MESSAGE_CREATE', d: { channel_id: channel } }, mark, replayed: false } as never)
  return { intake, passed, told }
}

test('nothing of a channel goes on before its past is there, other channels do', () => {
  const { intake, passed, told } = made()
  intake.holdAll()
  told('1')
  told('x1', 'x')
  intake.holdNamed(['c'])
  told('2')
  assert.deepEqual(passed, ['x1'])
  intake.release('c')
  told('3')
  assert.deepEqual(passed, ['x1', '1', '2', '3'])
})

test('a channel whose past two fetch waits for both', () => {
  const { intake, passed, told } = made()
  intake.hold('c')
  intake.hold('c')
  told('1')
  intake.release('c')
  assert.deepEqual(passed, [])
  intake.release('c')
  assert.deepEqual(passed, ['1'])
})

test('what has to be prepared is overtaken by nothing, and does not open a channel whose past is being fetched', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { intake, passed, told } = made(new Map([['2', promise]]))
  told('1')
  told('2')
  told('3')
  assert.deepEqual(passed, ['1'])
  intake.hold('c')
  intake.hold('other')
  intake.release('other')
  resolve()
  await promise
  assert.deepEqual(passed, ['1'])
  intake.release('c')
  assert.deepEqual(passed, ['1', '2', '3'])
})

test('the end of a catch-up lets nothing pass that is still being prepared', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { intake, passed, told } = made(new Map([['1', promise]]))
  told('1')
  intake.hold('c')
  told('2')
  intake.release('c')
  assert.deepEqual(passed, [])
  resolve()
  await promise
  assert.deepEqual(passed, ['1', '2'])
})

test('a new session fetches the past anew: what an old one held is held until then, once', () => {
  const { intake, passed, told } = made()
  intake.hold('c')
  told('1')
  intake.holdAll()
  told('2')
  intake.holdNamed(['c'])
  assert.deepEqual(passed, [])
  intake.release('c')
  assert.deepEqual(passed, ['1', '2'])
})

test('an unknown thread that turns out to belong to a channel waits for that channel', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const parents = new Map<string, string>()
  const { intake, passed, told } = made(new Map([['1', promise]]), parents)
  intake.hold('c')
  told('1', 'thread')
  parents.set('thread', 'c')
  resolve()
  await promise
  assert.deepEqual(passed, [])
  intake.release('c')
  assert.deepEqual(passed, ['1'])
})

test('an event that nobody can read keeps up none behind it', () => {
  const { intake, passed, told } = made()
  intake.hold('c')
  for (const mark of ['1', 'odd', '2']) told(mark)
  intake.release('c')
  told('odd')
  told('3')
  assert.deepEqual(passed, ['1', '2', '3'])
})
