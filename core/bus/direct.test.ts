import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import pino from 'pino'
import { isUp, next } from '../contract/bus.ts'
import { type Child, runChild, temporaryFolder } from '../ledger/testing.ts'
import { silentLog } from '../log.ts'
import { bellFolder } from '../paths.ts'
import { sleep } from '../retry.ts'
import { DirectBus } from './direct.ts'

const program = join(import.meta.dirname, 'direct.child.ts')

interface World {
  readonly folder: string
  readonly bus: DirectBus
  readonly start: (name: string) => Child
}

async function world(t: TestContext, log = silentLog()): Promise<World> {
  const folder = join(temporaryFolder(t), 'bell')
  const bus = new DirectBus(folder, 'own', log)
  t.after(() => bus.close())
  bus.start()
  await isUp(bus)
  return { folder, bus, start: name => runChild(t, [process.execPath, program, folder, name]) }
}

const rungBy = async (bus: DirectBus, child: Child): Promise<void> => {
  const heard = next<number>(listener => bus.onRing(seq => seq === 7 && listener(seq)))
  child.process.stdin?.write('ring\n')
  assert.equal(await heard, 7)
}

/** Resolves when `bus` has lost somebody and is whole again. */
async function whole(bus: DirectBus): Promise<void> {
  for (const endMs = Date.now() + 10_000; !bus.up; await sleep(5)) assert.ok(Date.now() < endMs, 'it is not whole')
}

describe('the bell between processes', () => {
  it('rings both ways with a process that comes later, also when that was killed and comes again', async t => {
    const { folder, bus, start } = await world(t)
    for (let round = 1; round <= 3; round++) {
      const child = start('other')
      await child.line(/^up true/)
      await rungBy(bus, child)
      bus.ring(round)
      await child.line(new RegExp(`^heard ${round}$`))
      const gone = next<boolean>(listener => bus.onUp(listener))
      child.process.kill('SIGKILL')
      await child.ended
      // Its socket is left, and nobody listens there: found out at once, and removed.
      assert.equal(await gone, false)
      await whole(bus)
      assert.deepEqual(readdirSync(folder), [`own-${process.pid}.bell`])
    }
  })

  it('finds the sockets of the dead, and what is no socket, in nobody’s way', async t => {
    const { folder, start } = await world(t)
    writeFileSync(join(folder, 'dead-1.bell'), '')
    const child = start('other')
    await child.line(/^up true/)
    assert.ok(!existsSync(join(folder, 'dead-1.bell')))
  })

  it('comes back when its folder is deleted under it', async t => {
    const { folder, bus, start } = await world(t)
    rmSync(folder, { recursive: true })
    while (!existsSync(join(folder, `own-${process.pid}.bell`))) await sleep(10)
    const child = start('other')
    await child.line(/^up true/)
    await rungBy(bus, child)
  })

  it('a stopped process holds nobody up, and hears again once it goes on', async t => {
    const { bus, start } = await world(t)
    const [stopped, other] = [start('stopped'), start('other')]
    await Promise.all([stopped.line(/^up true/), other.line(/^up true/)])
    stopped.process.kill('SIGSTOP')
    const beganMs = performance.now()
    for (let seq = 1; seq <= 100_000; seq++) bus.ring(seq)
    assert.ok(performance.now() - beganMs < 5000)
    // More than waits for anyone: who reads is told to look in place of the rest.
    const looks = async (child: Child): Promise<void> => {
      const from = child.lines.indexOf('heard 999')
      for (const endMs = Date.now() + 10_000; child.lines.indexOf('heard look', from) < 0; await sleep(5)) {
        assert.ok(Date.now() < endMs, 'nobody told it to look')
      }
    }
    await other.line(/^heard 999$/)
    await looks(other)
    bus.ring(200_000)
    await other.line(/^heard 200000$/)
    stopped.process.kill('SIGCONT')
    await stopped.line(/^heard 999$/)
    await looks(stopped)
  })

  it('whom it concerns hears it first, the others a little later', async t => {
    const { bus, start } = await world(t)
    const [hurried, patient] = [start('hurried'), start('patient')]
    await Promise.all([hurried.line(/^up true/), patient.line(/^up true/)])
    while (!bus.up) await sleep(5)
    const order: string[] = []
    const heard = [hurried.line(/^heard 5$/), patient.line(/^heard 5$/)]
    heard[0]?.then(() => order.push('hurried'))
    heard[1]?.then(() => order.push('patient'))
    bus.ring(4, ['hurried'])
    bus.ring(5, ['hurried'])
    await Promise.all(heard)
    assert.deepEqual(order, ['hurried', 'patient'])
    assert.ok(!patient.lines.includes('heard 4'), 'rings that wait together are one')
  })

  it('its folder and its socket are its owner’s alone; in a folder that others can enter it does not ring', async t => {
    const { folder } = await world(t)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    assert.equal(statSync(join(folder, `own-${process.pid}.bell`)).mode & 0o777, 0o600)
    const open = join(temporaryFolder(t), 'bell')
    mkdirSync(open)
    chmodSync(open, 0o755)
    const lines: string[] = []
    const log = pino({ level: 'info' }, { write: line => void lines.push(line) })
    const bus = new DirectBus(open, 'own', log)
    t.after(() => bus.close())
    bus.start()
    assert.equal(bus.up, false)
    assert.match(lines.join(''), /is open to others/)
    await sleep(1100)
    assert.equal(lines.length, 1)
    chmodSync(open, 0o700)
    await isUp(bus)
  })

  it('has room for its sockets wherever the data folder is', t => {
    for (const data of ['/d', `/${'long'.repeat(40)}`, temporaryFolder(t)]) {
      assert.ok(Buffer.byteLength(join(bellFolder(data), '.scribe-4194304.bell')) <= 107)
    }
  })
})
