import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain, lacksListener } from './faults.ts'

const cases: readonly [said: string, code: number | null, expected: RegExp, lasting: boolean][] = [
  [
    '2026 : error : server : failed to listen on 127.0.0.1:6667 : listen tcp 127.0.0.1:6667: bind: address already in use',
    1,
    /127\.0\.0\.1:6667 is taken/,
    true,
  ],
  ['  127.0.0.1:6697: Address already in use.', 0, /127\.0\.0\.1:6697 is taken/, true],
  [
    'listen tcp 10.9.9.9:6667: bind: cannot assign requested address',
    1,
    /10\.9\.9\.9:6667 can not be listened on/,
    true,
  ],
  [
    'Config file did not load successfully: yaml: line 3: mapping',
    1,
    /configuration is broken \(yaml: line 3: mapping\)/,
    true,
  ],
  [
    'Invalid character < in key () at /x/inspircd.conf:4:2 (inside tag oper at line 4)',
    2,
    /configuration is broken \(Invalid character < in key \(\) at \/x\/inspircd\.conf:4:2/,
    true,
  ],
  [
    '[Nov 21 12:52:56 2026] The value for <serverinfo:name> cannot be empty!',
    255,
    /broken \(The value for <serverinfo:name>/,
    true,
  ],
  ['write /x/ircd.db: no space left on device', 1, /the disk is full/, true],
  ['open /x/ircd.db: read-only file system', 1, /read-only/, true],
  ['open /x/ircd.db: permission denied', 1, /can not be written/, true],
  ['sh: 1: exec: /gone/ergo: not found', 127, /\/gone\/ergo is not there any more/, true],
  ['sh: 1: exec: /there/ergo: Permission denied', 126, /\/there\/ergo is not there any more/, true],
  [
    '[Nov 21 12:52:56 2026] USERS: al!u@h (open /x: permission denied) connected to the network (irc)',
    1,
    /^ircd ended \(code 1\); starting it again/,
    false,
  ],
  ['Nov 21 12:52:56 it began at 12:52:56', 1, /^ircd ended \(code 1\); starting it again/, false],
  ['open /x/ircd.db: permission denied', null, /^ircd ended \(SIGKILL\); starting it again/, false],
  ['', null, /ended \(SIGKILL\); starting it again/, false],
  ['', 75, /another copy works on this data folder/, true],
]

for (const [said, code, expected, lasting] of cases)
  test(`explains: ${said || `exit code ${code}`}`, () => {
    const fault = explain(
      'ircd',
      ['Starting', said, 'Hints: see inspircd.conf:4'],
      code,
      code === null ? 'SIGKILL' : null,
    )
    assert.match(fault.line, expected)
    assert.equal(fault.lasting, lasting)
    assert.doesNotMatch(fault.line, /\n/)
  })

test('a listener that is missing is seen in what the server prints', () => {
  assert.ok(lacksListener('  127.0.0.1:6667: Address already in use.'))
  assert.ok(!lacksListener("InspIRCd is now running as 'irc.chanop.local'[0CH] with 20000 max open sockets"))
})
