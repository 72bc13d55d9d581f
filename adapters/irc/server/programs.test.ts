import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, describe, test } from 'node:test'
import { atLeast, findPrograms } from './programs.ts'

describe('finding programs', () => {
  let folder: string
  beforeEach(async t => {
    folder = await mkdtemp(join(tmpdir(), 'chanop-programs-'))
    ;(t as unknown as { after(done: () => unknown): void }).after(() => rm(folder, { recursive: true, force: true }))
  })

  const script = async (path: string, body: string): Promise<string> => {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
    return join(folder, path)
  }
  const look = (env: Record<string, string>) => findPrograms(folder, { CHANOP_DEBIAN: join(folder, 'tree'), ...env })
  const refusal = async (env: Record<string, string>, server: string): Promise<string> => {
    const { found, refused } = await look(env)
    assert.equal(
      found.find(one => one.server === server),
      undefined,
    )
    return refused
      .filter(one => one.server === server)
      .map(one => one.reason)
      .join('\n')
  }

  test('Ergo comes from ERGO_BIN, then PATH, then data/bin', async () => {
    const inData = await script('bin/ergo', 'echo ergo-2.20.0-unreleased')
    assert.equal((await look({})).found[0]?.server, 'ergo')
    const onPath = await script('path/ergo', 'echo ergo-2.19.1')
    assert.partialDeepStrictEqual((await look({ PATH: dirname(onPath) })).found[0], { path: onPath, version: '2.19.1' })
    assert.partialDeepStrictEqual((await look({ PATH: dirname(onPath), ERGO_BIN: inData })).found[0], { path: inData })
  })

  test('the chemistry program and old versions are passed over with a line, and the next is taken', async () => {
    const chemistry = await script('chemistry/ergo', 'echo "Ergo version 3.8"; exit 1')
    assert.match(await refusal({ PATH: dirname(chemistry) }, 'ergo'), /chemistry/)
    const old = await script('old/ergo', 'echo ergo-2.18.0')
    assert.match(await refusal({ ERGO_BIN: old }, 'ergo'), /Ergo 2\.18\.0; 2\.19\.1 or newer/)
    assert.match(await refusal({ ERGO_BIN: join(folder, 'absent') }, 'ergo'), /can not be run/)
    await script('bin/ergo', 'echo ergo-2.19.1')
    assert.equal((await look({ PATH: `${dirname(chemistry)}:${dirname(old)}` })).found[0]?.version, '2.19.1')
  })

  test('InspIRCd needs its own major and Anope of its own, each said in a line', async () => {
    await script('tree/usr/sbin/inspircd', 'echo InspIRCd-4.2.0')
    assert.match(await refusal({}, 'inspircd'), /InspIRCd 4\.2\.0; only version 3/)
    await script('tree/usr/sbin/inspircd', 'echo InspIRCd-3.15.0-debian')
    assert.match(await refusal({}, 'inspircd'), /not Anope/)
    await script('tree/usr/sbin/anope', 'echo "Anope-2.1.3 x"; exit 255')
    assert.match(await refusal({}, 'inspircd'), /Anope 2\.1\.3; only version 2\.0/)
    await script('tree/usr/sbin/anope', 'echo "Anope-2.0.12 x"; exit 255')
    assert.match(await refusal({}, 'inspircd'), /m_ssl_gnutls\.so is missing/)
    await script('tree/usr/lib/inspircd/modules/m_ssl_gnutls.so', '')
    await script('tree/usr/lib/anope/modules/inspircd3.so', '')
    assert.equal((await look({})).found.at(-1)?.server, 'inspircd')
  })

  test('versions are compared as numbers', () => {
    assert.ok(atLeast('2.19.1', [2, 19, 1]) && atLeast('2.20.0', [2, 19, 1]) && atLeast('10.0.0', [2, 19, 1]))
    assert.ok(!atLeast('2.19.0', [2, 19, 1]) && !atLeast('2.9.9', [2, 19, 1]))
  })
})
