import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endsIn, fileName, isProgram } from './refused-files.ts'

test('a name is one that can be seen, in no folder, and ends as it did', () => {
  const names: readonly (readonly [string, string])[] = [
    ['map.png', 'map.png'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\x\\a.txt', 'a.txt'],
    ['a\u0000b\r\n.txt', 'ab .txt'],
    ['gpj.\u202eexe.txt', 'gpj.exe.txt'],
    ['..', 'file'],
    ['', 'file'],
    ['a/', 'file'],
    ['<b>"x"|?*.txt', '_b__x____.txt'],
    [`${'x'.repeat(300)}.tar`, `${'x'.repeat(115)}….tar`],
    ['.gitignore', '.gitignore'],
    ['noending', 'noending'],
  ]
  for (const [written, shown] of names) assert.equal(fileName(written), shown, JSON.stringify(written))
  const flood = fileName(`z${'\u0301'.repeat(5000)}.png`)
  assert.ok(flood.length < 20 && flood.endsWith('.png'))
})

test('what runs is known by how it ends, whatever stands around that, and by how it begins', () => {
  const endings = ['exe', 'js']
  for (const name of ['a.exe', 'a.EXE', 'a.exe.', 'a.exe . ', 'a.e\u200bxe', 'gnp.\u202eexe', 'x.png.js', '.exe'])
    assert.notEqual(endsIn(name, endings), null, JSON.stringify(name))
  for (const name of ['exe', 'a.exe.txt', 'a.json', '']) assert.equal(endsIn(name, endings), null, name)
  for (const head of ['MZ\0\0', '\x7fELF', '\xca\xfe\xba\xbe']) assert.ok(isProgram(Buffer.from(head, 'latin1')))
  for (const head of ['', 'M', 'GIF8', '%PDF']) assert.equal(isProgram(Buffer.from(head)), false)
})
