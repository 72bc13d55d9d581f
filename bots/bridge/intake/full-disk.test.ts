import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, symlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { availableServers, startErgo, startInspircd, type TestServer } from '../../../adapters/irc/server/testing.ts'
import type { Line } from '../../../adapters/irc/text/line.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { House } from '../../../test/house.ts'
import { Client } from '../../../test/irc.ts'
import { runAdmin } from '../../admin/admin.ts'
import { runBridge } from '../run.ts'

/** A file system of its own for the ledger, with the server's own folder in it; null: may not be mounted. */
function smallDisk(server: TestServer, folder: string): string | null {
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'chanop-test', folder]).status !== 0) return null
  symlinkSync(join(server.dataDir, 'ircd'), join(folder, 'ircd'))
  return folder
}

/** Takes all the room there is. Returns what gives it back. */
function fill(folder: string): () => void {
  const path = join(folder, 'filler')
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096)
  const write = (): boolean => {
    try {
      return writeSync(file, block) > 0
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
      return false
    }
  }
  while (write());
  closeSync(file)
  return () => rmSync(path)
}

/** The owner, with what was heard. */
async function enter(ends: (() => unknown)[], server: TestServer) {
  assert.ok(server.owner)
  const heard: Line[] = []
  let look = (): void => undefined
  const client = new Client(
    { host: server.host, port: server.port, ...server.owner },
    { line: line => (heard.push(line), look()), closed: () => undefined },
  )
  ends.push(() => client.close())
  await client.login()
  client.write('JOIN #general,#ops')
  const hears = (wanted: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const texts = (): string[] =>
        heard.map(line => `${line.nick} ${line.command} ${line.params.join(' ').slice(0, 200)}`)
      const late = setTimeout(() => reject(new Error(`${wanted} was not heard in\n${texts().join('\n')}`)), 20_000)
      look = () => {
        if (!texts().some(text => wanted.test(text))) return
        clearTimeout(late)
        resolve()
      }
      look()
    })
  return { hears, say: (words: string) => client.write(`PRIVMSG #general :${words}`) }
}

const available = await availableServers()
for (const [kind, start] of [
  ['inspircd', startInspircd],
  ['ergo', startErgo],
] as const) {
  const reason = available.find(server => server.kind === kind)?.reason ?? false
  test(`a disk that is full: ${kind}'s rooms hear it, commands hear that they wait, and all goes on when there is room`, {
    skip: reason,
    timeout: 60_000,
  }, async t => {
    const server = await start(null)
    const folder = mkdtempSync(join(tmpdir(), 'chanop-full-'))
    // What works on the folder ends before it goes.
    const ends: (() => unknown)[] = []
    t.after(async () => {
      for (const end of ends) await end()
      spawnSync('umount', ['-l', folder])
      rmSync(folder, { recursive: true, force: true })
      await server.stop()
    })
    const dataDir = smallDisk(server, folder)
    if (dataDir === null) return t.skip('may not mount a file system of its own: needs root')
    const { tls } = server.control ?? assert.fail()
    const listen = `{ plain: '${server.host}:${server.port}', tls: '${tls.host}:${tls.port}' }`
    const house = new House(
      { after: end => ends.push(end) },
      {
        dataDir,
        config: `
owner: irc:owner
networks:
  irc: { kind: irc, managed: true, listen: ${listen}, channels: ['#general', '#ops'] }
rooms:
  general: { places: ['irc:#general'], open: true }
  ops: { places: ['irc:#ops'] }
`,
      },
    )
    await house.run('bridge', runBridge)
    await house.run('admin', runAdmin)
    const owner = await enter(ends, server)
    await owner.hears(/[@+~ ]admin\b|^admin JOIN #general/)
    owner.say('!version')
    await owner.hears(/admin PRIVMSG #general chanop \d/)
    const makeRoom = fill(dataDir)
    // More than the room that the ledger's files still have inside.
    for (let n = 0; n < 40; n++) owner.say(`line ${n} ${'x'.repeat(kind === 'ergo' ? 300 : 2000)}`)
    await owner.hears(/bridge PRIVMSG #ops the disk is full: make room/)
    owner.say('!whoami')
    await owner.hears(/bridge PRIVMSG #general the disk is full: .*said here wait/)
    makeRoom()
    await owner.hears(/admin PRIVMSG (#general|owner) .*owner/)
    const kept = await house.ledger.read(db => sql(db, "SELECT 1 FROM event WHERE body LIKE '%line %xxx%'").all())
    assert.equal(kept.length, 40)
  })
}
