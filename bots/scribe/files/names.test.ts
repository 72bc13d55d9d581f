import assert from 'node:assert/strict'
import { join, resolve, sep } from 'node:path'
import { test } from 'node:test'
import type { Place } from '../../../core/event.ts'
import { decodeName, encodeName, folderOf, periodEndMs, periodOf } from './names.ts'

const nasty = [
  '..',
  '.',
  '',
  '/',
  '../../etc/passwd',
  '..\\..\\x',
  '#a/../b',
  '#general',
  '.hidden',
  '-rf',
  '#\0x',
  'a%2Fb',
  '%',
  '%2E',
  'con',
  '#ünïcödé',
  '!AbC:example.org',
  '#new\nline',
  '~',
  'x'.repeat(180),
  '😀',
  '#a b',
  '#a:b',
  '*?<>|"',
  '\u202egnp',
]

test('every name is one harmless folder name, reads back, and no two share one', () => {
  const seen = new Set<string>()
  for (const name of nasty) {
    const encoded = encodeName(name)
    assert.match(encoded, /^[A-Za-z0-9#_%][A-Za-z0-9#_.%-]*$/, JSON.stringify(name))
    assert.equal(decodeName(encoded), name)
    assert.ok(!seen.has(encoded))
    seen.add(encoded)
    const path = folderOf('/data/logs', { network: 'irc', channel: name } as Place)
    assert.ok(resolve(path).startsWith(join('/data/logs', 'irc') + sep), path)
    assert.equal(resolve(path), path)
  }
})

test('a name too long for a folder is cut, kept apart by a hash, and not read back', () => {
  const [a, b] = [encodeName(`${'/'.repeat(300)}a`), encodeName(`${'/'.repeat(300)}b`)]
  assert.notEqual(a, b)
  for (const encoded of [a, b]) {
    assert.ok(Buffer.byteLength(encoded) < 200)
    assert.equal(decodeName(encoded), null)
  }
})

test('periods are those of UTC and of ISO 8601 weeks', () => {
  assert.equal(periodOf('daily', Date.UTC(2026, 0, 1)), '2026-01-01')
  assert.equal(periodOf('monthly', Date.UTC(2026, 11, 31, 23, 59)), '2026-12')
  assert.equal(periodOf('weekly', Date.UTC(2027, 0, 1)), '2026-W53')
  assert.equal(periodOf('weekly', Date.UTC(2026, 0, 1)), '2026-W01')
  assert.equal(periodOf('weekly', Date.UTC(2024, 11, 30)), '2025-W01')
  assert.equal(periodEndMs('2026-04-01'), Date.UTC(2026, 3, 2))
  assert.equal(periodEndMs('2026-12'), Date.UTC(2027, 0, 1))
  assert.equal(periodEndMs('2026-W53'), Date.UTC(2027, 0, 4))
  assert.equal(periodEndMs('000001'), null)
})

test('a time lies before the end of its period, and the end begins the next', () => {
  for (const rotation of ['daily', 'weekly', 'monthly'] as const) {
    for (let day = 0; day < 1500; day++) {
      const atMs = Date.UTC(2023, 11, 25, 13) + day * 86_400_000
      const period = periodOf(rotation, atMs)
      const endMs = periodEndMs(period) as number
      assert.ok(endMs > atMs)
      assert.notEqual(periodOf(rotation, endMs), period)
      assert.equal(periodOf(rotation, endMs - 1), period)
    }
  }
})
