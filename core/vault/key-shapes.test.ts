import assert from 'node:assert/strict'
import { it } from 'node:test'
import { stopwatch } from '../contract/stopwatch.ts'
import { hiddenKey, maskKeys } from './key-shapes.ts'

const x = (length: number): string => 'aB3'.repeat(length).slice(0, length)

it('tokens of chat platforms are masked, with what they stand in left as it is', () => {
  const tokens = [
    `MTA0NzU4Mjk0ODQ3NTAxOTI2NA.Gab1cd.${x(38)}`,
    `OTk5OTk5OTk5OTk5OTk5OTk5.Xy-z_1.${x(27)}`,
    `xoxb-1234567890-1234567890123-${x(24)}`,
    `xapp-1-A0123456789-1234567890123-${x(64)}`,
    `xoxe.xoxp-1-${x(40)}`,
    `7000000001:${x(35)}`,
    `syt_Ym90_${x(20)}_1d6448`,
    `mct_${x(30)}_Ab12cd`,
    `mat_${x(30)}_Ab12cd`,
    `https://discord.com/api/webhooks/123456789012345678/${x(68)}`,
    `eyJ${x(30)}.eyJ${x(40)}.${x(43)}`,
    `https://hooks.slack.com/services/T0123456/B0123456/${x(24)}`,
  ]
  for (const token of tokens) {
    for (const said of [token, `"${token}"`, `token=${token},`, `is (${token})?`]) {
      const masked = maskKeys(said)
      assert.ok(masked.includes(hiddenKey) && !masked.includes(x(20)), `${said} → ${masked}`)
    }
  }
})

it('a web token is masked as a whole, and nothing before it', () => {
  const token = `eyJ${x(30)}.eyJ${x(40)}.${x(43)}`
  for (const before of ['', 'token-', 'a-eyJ.', `${x(20)}.`, 'its ', 'ä'])
    assert.equal(maskKeys(`${before}${token}.`), `${before}${hiddenKey}.`)
  for (const said of [`${x(20)}.${x(40)}.${x(43)}`, `eyJ${x(30)}.${x(40)}.${x(43)}`, `_eyJ${x(30)}`])
    assert.equal(maskKeys(said), said)
})

it('what begins like one again and again takes no time', () => {
  const tookMs = stopwatch()
  maskKeys('-eyJ'.repeat(2_000_000))
  assert.ok(tookMs() < 2000)
})

it('what only begins like one stays', () => {
  for (const said of [
    'mat_contents_of_something_quite_long',
    'at 12:30 and 10:45',
    'MIT.is.a-licence',
    'xoxb- is how they begin',
    'version 1.2.3-beta',
  ])
    assert.equal(maskKeys(said), said)
})
