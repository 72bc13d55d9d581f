import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { archiveName, ergoVersion, fetchErgo } from './ergo.ts'
import { obtainIrc } from './irc.ts'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'chanop-ergo-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** An archive as the project releases it: one folder, the program and its texts inside. */
function fakeArchive(where: string, prints: string): Buffer {
  const inside = join(where, 'ergo-x')
  mkdirSync(inside)
  writeFileSync(join(inside, 'ergo'), `#!/bin/sh\necho ${prints}\n`, { mode: 0o755 })
  writeFileSync(join(inside, 'default.yaml'), '')
  execFileSync('tar', ['-czf', join(where, 'a.tgz'), '-C', where, 'ergo-x'])
  return readFileSync(join(where, 'a.tgz'))
}

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/releases`
}

function release(t: TestContext, archive: Buffer, sum: string): Promise<string> {
  const name = archiveName() as string
  return serve(t, (request, response) => {
    if (request.url === `/releases/v${ergoVersion}/ergo-${ergoVersion}-checksums.txt`)
      response.end(`0000  other.tar.gz\n${sum}  ${name}\n`)
    else if (request.url === `/releases/v${ergoVersion}/${name}`) response.end(archive)
    else response.writeHead(404).end()
  })
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const supported = archiveName() !== null

test('the release is fetched, checked and used', { skip: !supported }, async t => {
  const data = folder(t)
  const archive = fakeArchive(data, `ergo-${ergoVersion}`)
  const env = { CHANOP_ERGO_URL: await release(t, archive, sha256(archive)), PATH: '/nowhere', HOME: data }
  const bin = join(data, 'bin')
  const program = await obtainIrc({ data, bin, cache: join(data, 'cache'), env }, { forced: null, before: null })
  assert.deepEqual(program, { server: 'ergo', version: ergoVersion, path: join(bin, 'ergo') })
  assert.deepEqual(readdirSync(bin), ['ergo'])
})

test('an archive with another checksum is thrown away', { skip: !supported }, async t => {
  const data = folder(t)
  const archive = fakeArchive(data, 'x')
  const url = await release(t, archive, sha256(Buffer.from('other')))
  await assert.rejects(fetchErgo(join(data, 'bin'), { CHANOP_ERGO_URL: url }), /does not have the checksum/)
  assert.ok(!readdirSync(data).includes('bin'))
})

test('a release without this file is said', { skip: !supported }, async t => {
  const url = await serve(t, (_, response) => response.writeHead(404).end())
  await assert.rejects(fetchErgo(folder(t), { CHANOP_ERGO_URL: url }), /can not be fetched \(HTTP 404\)/)
})

test('a place that never answers is given up within 5 s', { skip: !supported }, async t => {
  const url = await serve(t, () => undefined)
  const sinceMs = performance.now()
  await assert.rejects(fetchErgo(folder(t), { CHANOP_ERGO_URL: url }), /no answer within 5 s/)
  assert.ok(performance.now() - sinceMs < 6000)
})

test('nothing to be had names every way out', async t => {
  const data = folder(t)
  const env = { CHANOP_ERGO_URL: 'http://127.0.0.1:1', PATH: '/nowhere', HOME: data, CHANOP_DEBIAN: join(data, 'none') }
  const obtaining = obtainIrc({ data, bin: join(data, 'bin'), cache: data, env }, { forced: 'ergo', before: null })
  await assert.rejects(obtaining, (error: Error) => {
    for (const way of ['ERGO_BIN', 'bin/ergo', 'https://ergo.chat', 'irc.server', 'can not be fetched'])
      assert.match(error.message, new RegExp(way))
    return true
  })
  const unset = 'start by c.yaml alone'
  const set = obtainIrc({ data, bin: join(data, 'bin'), cache: data, env }, { forced: 'ergo', unset, before: null })
  await assert.rejects(set, /, or start by c\.yaml alone$/)
})

test('a server that holds the accounts is not replaced by another', async t => {
  const data = folder(t)
  const env = { CHANOP_ERGO_URL: 'http://127.0.0.1:1', PATH: '/nowhere', HOME: data }
  const obtaining = obtainIrc({ data, bin: join(data, 'bin'), cache: data, env }, { forced: null, before: 'ergo' })
  await assert.rejects(obtaining, /its accounts begin anew/)
})
