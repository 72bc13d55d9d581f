import assert from 'node:assert/strict'
import { it } from 'node:test'
import { pastedToken } from './pasted.ts'

it('a token is taken as it was issued, whatever was copied with it', () => {
  const token = 'MTA0NzU4.fake00.token-of_the-bot'
  const pasted = [
    token,
    ` ${token}\n`,
    `"${token}"`,
    `'${token}'`,
    `\`${token}\``,
    `\`\`\`${token}\`\`\``,
    `“${token}”`,
    `<${token}>`,
    `Bot ${token}`,
    `bot  "${token}"`,
    `"Bot ${token}"`,
    `Bearer ${token}`,
    `"${token}",`,
    `\u200b${token}\ufeff`,
    `${token.slice(0, 9)}\n${token.slice(9)}`,
    `\u00a0${token}\u00a0`,
  ]
  for (const written of pasted) assert.equal(pastedToken(written), token, JSON.stringify(written))
})

it('out of an address too', () => assert.equal(pastedToken('bot7000000001:AA-test_'), '7000000001:AA-test_'))

it('what is no wrapping stays', () => {
  for (const token of ['', 'bot', 'two words', 'a"b', '7000000001:AA-test_', 'xoxb-1-2', 'bottle'])
    assert.equal(pastedToken(token), token)
})
