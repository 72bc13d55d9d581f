import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NetworkId } from '../../core/event.ts'
import { text } from '../../core/event.ts'
import { guard } from './link/wire.ts'
import { parseFormat } from './text/format.ts'
import { type LineContext, toEvents } from './text/inbound.ts'
import { parseLine } from './text/line.ts'
import { foldFor } from './text/names.ts'
import { compose, relayNick } from './text/outbound.ts'

const rounds = 10_000
const seed = Number(process.env['CHANOP_SEED'] ?? 20_261_121)

/** mulberry32: small, seeded, good enough to choose test strings. */
function randomFrom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const pieces = [
  '\r', '\n', '\0', '\r\nQUIT', '\nPRIVMSG #x :y', '\x01ACTION ', '\x01', '\x02', '\x03', '\x0304,', '\x04ff', '\x0f', '\x1d', '\x1b',
  '<owner> ', '[owner] ', '!restart', ' ', '  ', ':', '@', ';', '\\', '\ud800', '\udfff', '👨‍👩‍👧‍👦', '🇩🇪', 'é', 'ä', '\u202e', '\u200b', '\u2028', '\u0085',
  'PRIVMSG', 'BATCH +', 'CAP * LS :', '#c', '#', 'nick!u@h', 'a', 'word', '=', '+reply=', 'account=', 'time=', 'x'.repeat(300), '\u0301'.repeat(50),
] // biome-ignore format: a list

function makeString(random: () => number): string {
  let made = ''
  for (let left = Math.floor(random() * 14); left >= 0; left--) {
    made +=
      random() < 0.2 ? String.fromCharCode(Math.floor(random() * 0x300)) : pieces[Math.floor(random() * pieces.length)]
  }
  return made
}

const heard: LineContext = {
  network: 'irc' as NetworkId, instance: 'ourinstance0', persona: null, calledAs: () => null, nonce: 'n', connectedMs: 0, clock: { aheadMs: 0 }, placeOf: folded => folded, fold: foldFor(undefined),
  isChannel: name => name.startsWith('#'), isOwn: nick => nick === 'bridge', isFace: () => false, channelsOf: () => ['#c'], accountOf: () => null,
} // biome-ignore format: one value

describe(`fuzz (CHANOP_SEED=${seed})`, () => {
  it(`${rounds} texts of relayed people stay theirs and on their line`, () => {
    const random = randomFrom(seed)
    for (let round = 0; round < rounds; round++) {
      const [name, words] = [makeString(random), makeString(random)]
      const relayAs = random() < 0.3 ? relayNick({ name }, '/') : null
      const multiline = random() < 0.5 ? { maxBytes: 1000, maxLines: 5 } : null
      const draft = { content: text(words), as: { name, relayed: true as const } }
      const frame = {
        target: '#c',
        lineBytes: 350,
        tags: true,
        multiline,
        relayAs,
        face: 'bridge',
        instance: 'i',
        deliveryId: 'd',
      }
      for (const line of compose(draft, frame).flatMap(message => message.lines('L'))) {
        assert.equal(guard(line), line, 'the guard finds nothing left to mend')
        const read = parseLine(line)
        assert.ok(read)
        if (read.command === 'BATCH') continue
        assert.equal(read.params[0], '#c')
        const said = read.params.at(-1) ?? ''
        assert.ok(Buffer.byteLength(said) <= 350, `${Buffer.byteLength(said)} bytes`)
        assert.doesNotMatch(said, /[\x00\x01\x07\x1b]/)
        if (relayAs === null) assert.match(said, /^<[^<>]+> ./u)
        else assert.match(read.params[1] ?? '', /^[A-Za-z_[\]{}^`|][A-Za-z0-9_\-[\]{}^`|]*\/[A-Za-z0-9_\-[\]{}^`|]+$/)
      }
    }
  })

  it(`${rounds} lines of a server neither throw nor vouch for anybody`, () => {
    const random = randomFrom(seed + 1)
    for (let round = 0; round < rounds; round++) {
      const raw = `${random() < 0.5 ? '@+account=owner;x=' : ''}${random() < 0.7 ? ` :eve!u@h PRIVMSG ${random() < 0.5 ? '#c :' : ''}` : ''}${makeString(random)}`
      const line = parseLine(raw)
      if (!line) continue
      for (const event of toEvents({ line, count: round }, heard)) {
        if (line.tags['account'] === undefined) assert.equal(event.sender.verified, false)
        assert.equal(event.key.startsWith('irc:'), true)
      }
    }
  })

  it(`${rounds} texts come in without a control byte`, () => {
    const random = randomFrom(seed + 2)
    for (let round = 0; round < rounds; round++) {
      for (const segment of parseFormat(makeString(random))) {
        if ('text' in segment) assert.doesNotMatch(segment.text ?? '', /[\x00-\x08\x0b-\x1f\x7f]/)
      }
    }
  })
})
