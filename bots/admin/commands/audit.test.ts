import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { openHouse } from '../channels/testing.ts'

test('denials and what was ignored are in the audit, secrets are not, and it proves itself', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  const bob = house.server('a').user('bob')
  await bob.shouldReply('#general', '!restart oracle', /needs operator/)
  bob.say('#general', { segments: [{ kind: 'text', text: '!restart bridge' }], style: 'notice' })
  await olga.shouldReply('@admin', 'secret set CANARY squeamish-ossifrage', /CANARY/)
  await olga.shouldReply('#general', '!audit decision=denied', /bob \(bob\) chat:#general restart oracle → denied/, {
    in: '@admin',
  })
  await olga.shouldReply('#general', '!audit decision=ignored', /restart bridge → ignored: ignored: notice/, {
    in: '@admin',
  })
  await olga.shouldReply('#general', '!audit cmd=secret', /secret set CANARY \*\*\* → allowed/, { in: '@admin' })
  await olga.shouldReply('#general', '!audit verify', /^whole: \d+ lines/, { in: '@admin' })
  const { text } = await olga.shouldReply(
    '#general',
    '!audit export',
    /^\S+exports\/audit-\S+\.jsonl · \d+ lines\nSHA-256 /,
    { in: '@admin' },
  )
  const [, path = '', sha256] = /^(\S+) · .*\nSHA-256 (\w+)/.exec(text) ?? []
  const written = readFileSync(path, 'utf8')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(createHash('sha256').update(written).digest('hex'), sha256)
  assert.equal(written.includes('squeamish'), false)
  let previous = ''
  for (const line of written.trim().split('\n')) {
    const { id: _id, hash, previous: before, ...rest } = JSON.parse(line) as Record<string, unknown>
    assert.equal(before, previous)
    assert.equal(
      createHash('sha256')
        .update(JSON.stringify([before, ...Object.values(rest)]))
        .digest('hex'),
      hash,
    )
    previous = hash as string
  }
  await bob.shouldReply('#general', '!audit export', /needs owner/)
})

test('lines cut off the end are found, at the first look and at every later one', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  for (let n = 0; n < 4; n++) await olga.shouldReply('#general', '!version', /chanop/)
  const { text } = await olga.shouldReply('#general', '!audit head', /^audit line \d+ · [0-9a-f]{64}$/)
  const id = Number(/line (\d+)/.exec(text)?.[1])
  await olga.shouldReply('#general', '!audit verify', /^whole: \d+ lines/, { in: '@admin' })
  // Whoever cuts them makes SQLite forget them too.
  await house.ledger.write(db => {
    db.exec('DROP TRIGGER audit_no_delete')
    db.prepare('DELETE FROM audit WHERE id >= ?').run(id)
    db.prepare("UPDATE sqlite_sequence SET seq = ? WHERE name = 'audit'").run(id - 1)
  })
  for (let look = 0; look < 2; look++) {
    const { seq } = olga.say('#general', '!audit verify')
    await olga.hears(
      '@admin',
      new RegExp(`^broken: line ${id}, as it was .* by \\S*audit-heads.txt, is not there`),
      seq,
    )
  }
})

test('a line that was changed in the file is found, and the export ends before it', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  for (let n = 0; n < 3; n++) await olga.shouldReply('#general', '!version', /chanop/)
  await house.ledger.write(db => {
    db.exec('DROP TRIGGER audit_no_update')
    db.prepare("UPDATE audit SET account = 'bob' WHERE id = 2").run()
  })
  await olga.shouldReply('#general', '!audit verify', /^broken at line 2/, { in: '@admin' })
  await olga.shouldReply('#general', '!audit export', /· 1 lines\nSHA-256 \w+\nbroken at line 2/, { in: '@admin' })
})

test('what reading it left in the audit is shown when that is asked for', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  const bob = house.server('a').user('bob')
  await olga.shouldReply('#general', '!audit', 'nothing of that kind', { in: '@admin' })
  await bob.shouldReply('#general', '!audit', /needs operator/)
  const { text } = await olga.shouldReply('#general', '!audit', /audit show/, { in: '@admin' })
  assert.match(text, /^[^\n]+ bob \(bob\) chat:#general audit show → denied: [^\n]+$/)
  await olga.shouldReply('#general', '!audit cmd=audit', /olga .* audit show → allowed.*\n.*bob .* → denied/, {
    in: '@admin',
  })
})
