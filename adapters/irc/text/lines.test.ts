import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Draft, NetworkId } from '../../../core/event.ts'
import { text } from '../../../core/event.ts'
import { type Batch, Batches, joinMultiline } from '../link/batch.ts'
import { guard, LineCutter } from '../link/wire.ts'
import { isOwnWords, type LineContext, toEvents } from './inbound.ts'
import { commandAt, escapeTag, type Line, parseLine, unescapeTag } from './line.ts'
import { directPlace, foldFor, parseDirect } from './names.ts'
import { compose, type Frame, quietName, relayNick, shownName } from './outbound.ts'

const read = (raw: string): Line => {
  const line = parseLine(raw)
  assert.ok(line)
  return line
}

const heard: LineContext = {
  network: 'irc' as NetworkId,
  instance: 'ourinstance0',
  persona: null,
  calledAs: () => null,
  nonce: 'n0',
  connectedMs: Date.parse('2026-01-01T00:00:00Z'),
  clock: { aheadMs: 0 },
  placeOf: folded => folded,
  fold: foldFor('ascii'),
  isChannel: name => name.startsWith('#'),
  isOwn: nick => nick.toLowerCase() === 'bridge',
  isFace: nick => nick.toLowerCase() === 'oracle',
  channelsOf: () => ['#a', '#b'],
  accountOf: nick => (nick === 'carol' ? 'carol' : null),
}
const events = (raw: string, count = 1) => toEvents({ line: read(raw), count }, heard)
const now = '@time=2026-01-01T00:00:05.000Z'

describe('lines', () => {
  it('reads tags, prefix, command and parameters', () => {
    const line = read('@account=al;+x=a\\sb\\:c\\\\d\\;empty :al!u@h  privmsg #c  :hi : there')
    assert.deepEqual({ ...line.tags }, { account: 'al', '+x': 'a b;c\\d', empty: '' })
    assert.deepEqual([line.nick, line.command, line.params], ['al', 'PRIVMSG', ['#c', 'hi : there']])
    assert.deepEqual(read('PING x\r').params, ['x'])
    assert.deepEqual(read(':s FOO :').params, [''])
  })

  it('escapes tags so that they come back the same', () => {
    for (const value of ['', 'a;b c\\d\r\n', '\\s', 'ü👍', ':']) assert.equal(unescapeTag(escapeTag(value)), value)
    assert.equal(unescapeTag('a\\'), 'a')
  })

  it('finds the command without parsing', () => {
    for (const raw of ['@a=b :n!u@h PRIVMSG #c :x', ':n PRIVMSG x', 'PRIVMSG x', '@t  PRIVMSG x']) {
      assert.ok(raw.slice(commandAt(raw)).startsWith('PRIVMSG'))
    }
  })

  it('cuts chunks anywhere, in any encoding, and drops what never ends', () => {
    const odd: string[] = []
    const cutter = new LineCutter(what => odd.push(what))
    const bytes = Buffer.from('PING :grüß\r\nPING :b\r\nPING')
    const lines: string[] = []
    for (const byte of bytes) lines.push(...cutter.cut(Buffer.from([byte])))
    lines.push(...cutter.cut(Buffer.from([0x20, 0x3a, 0xe9, 10])))
    assert.deepEqual(lines, ['PING :grüß\r', 'PING :b\r', 'PING :é'])
    for (let kib = 0; kib < 200; kib++) assert.deepEqual(cutter.cut(Buffer.alloc(1024, 65)), [])
    assert.deepEqual(cutter.cut(Buffer.from('AAA\nPING :c\n')), ['PING :c'])
    assert.deepEqual(odd, ['over-long line dropped'])
  })

  it('lets no line end leave', () => {
    assert.equal(guard('PRIVMSG #c :a\r\nQUIT\0\n'), 'PRIVMSG #c :a QUIT ')
  })
})

describe('names', () => {
  it('folds as the server does', () => {
    assert.equal(foldFor('ascii')('A[]\\^Ä'), 'a[]\\^Ä')
    assert.equal(foldFor(undefined)('A[]\\^'), 'a{}|~')
    assert.equal(foldFor('rfc1459-strict')('A[]\\^'), 'a{}|^')
  })

  it('mints private places and reads them again', () => {
    const place = directPlace(heard.network, { user: 'alice' as never, persona: 'oracle' })
    assert.equal(place.channel, '@alice/oracle')
    assert.deepEqual(parseDirect(place.channel), { user: 'alice', persona: 'oracle' })
    assert.deepEqual(parseDirect('@~x' as never), { user: '~x', persona: null })
    assert.equal(parseDirect('#c' as never), null)
  })
})

describe('inbound', () => {
  it('takes a message with its id, account and time', () => {
    const [event] = events(
      '@time=2026-01-01T00:00:05.000Z;msgid=m1;account=Alice;+draft/reply=m0 :alice!u@h PRIVMSG #A :hi',
    )
    assert.deepEqual(event, {
      kind: 'message',
      key: 'irc:m1',
      id: 'm1',
      place: { network: 'irc', channel: '#a' },
      sender: { id: 'alice', name: 'alice', kind: 'person', verified: true },
      atMs: Date.parse('2026-01-01T00:00:05Z'),
      origin: 'live',
      content: { segments: [{ kind: 'text', text: 'hi' }], replyTo: 'm0' },
    })
  })

  it('believes no client tag and no relayed nick', () => {
    const [event] = events(`${now};+account=owner :eve!u@h PRIVMSG #a :hi`)
    assert.deepEqual(event?.sender, { id: '~eve', name: 'eve', kind: 'person', verified: false })
    const [relayed] = events(`${now};draft/relaymsg=other;account=owner :owner/x!u@h PRIVMSG #a :!restart`)
    assert.deepEqual(relayed?.sender, { id: '~owner/x', name: 'owner/x', kind: 'bot', verified: false })
  })

  it('gives the same key to one line and different keys to two', () => {
    assert.equal(events(`${now} :a!u@h PRIVMSG #a :x`, 7)[0]?.key, 'irc:~n0:7')
    const quits = events(`${now};msgid=q1 :a!u@h QUIT :bye`)
    assert.deepEqual(
      quits.map(event => event.key),
      ['irc:q1/#a', 'irc:q1/#b'],
    )
  })

  it('drops our own words, and only ours', () => {
    assert.deepEqual(events(`${now} :bridge!u@h PRIVMSG #a :x`), [])
    assert.deepEqual(events(`${now};draft/relaymsg=bridge :bob/r!u@h PRIVMSG #a :x`), [])
    assert.deepEqual(events(`${now};+chanop/i=ourinstance0 :oracle!u@h PRIVMSG #a :x`), [])
    assert.equal(events(`${now} :oracle!u@h PRIVMSG #a :x`).length, 1)
    assert.equal(events(`${now};+chanop/i=ourinstance0;+chanop/d=1 :eve!u@h PRIVMSG #a :x`).length, 1)
    assert.equal(isOwnWords(read(':eve!u@h PRIVMSG #a :x'), heard), false)
  })

  it('marks copies, bots, old lines and netsplits', () => {
    const [copy] = events(`${now};bot;+chanop/o=anotherone00 :far!u@h PRIVMSG #a :x`)
    assert.equal(copy?.kind === 'message' && copy.hops, 1)
    assert.equal(copy?.sender.kind, 'bot')
    assert.equal(events('@time=2025-12-31T23:00:00Z :a!u@h PRIVMSG #a :x')[0]?.origin, 'backfill')
    const [split] = events(`${now} :a!u@h QUIT :one.example.org two.example.org`)
    assert.equal(split?.kind === 'member' && split.split, true)
  })

  it('tells who left by a kick, who came, and what was removed', () => {
    const [kick] = events(`${now} :op!u@h KICK #a carol :enough`)
    assert.deepEqual([kick?.sender.id, kick?.sender.verified], ['carol', false])
    assert.equal(kick?.kind === 'member' && kick.detail, 'kicked by op: enough')
    assert.equal(events(`${now} :a!u@h JOIN #a acc :real`)[0]?.kind, 'member')
    const [removed] = events(`${now} :a!u@h REDACT #a m5 :spam`)
    assert.deepEqual([removed?.kind, removed?.key], ['delete', 'irc:redact/m5'])
  })

  it('leaves what is not for a room', () => {
    for (const raw of [
      ':a!u@h PRIVMSG #a :\x01VERSION\x01', ':a!u@h NOTICE #a :\x01PING 1\x01', ':a!u@h PRIVMSG @#a :ops only',
      ':srv.example NOTICE * :*** Looking up', ':NickServ!s@h NOTICE bridge :hello', ':a!u@h PRIVMSG #a :', ':a!u@h PRIVMSG #a',
      ':a!u@h TAGMSG #a', ':a!u@h PRIVMSG somebody :not us', ':a!u@h PRIVMSG $$* :to all',
    ]) assert.deepEqual(events(raw), [], raw) // biome-ignore format: a list
  })

  it('joins a multiline batch, nested as well', () => {
    const done: Batch[] = []
    const batches = new Batches(
      batch => done.push(batch),
      () => assert.fail('too much'),
    )
    for (const raw of [
      '@label=h1 :s BATCH +h chathistory #a',
      '@batch=h;msgid=m9;account=al :al!u@h BATCH +m draft/multiline #a',
      '@batch=m :al!u@h PRIVMSG #a :one',
      '@batch=m;draft/multiline-concat :al!u@h PRIVMSG #a : more',
      '@batch=m :al!u@h PRIVMSG #a :two',
      'BATCH -m',
      'BATCH -h',
    ])
      assert.equal(batches.take(read(raw), raw.length), true)
    assert.equal(done.length, 1)
    const inner = done[0]?.items[0]
    assert.ok(inner && 'items' in inner)
    const line = joinMultiline(inner)
    assert.deepEqual([line?.params[1], line?.tags['msgid'], line?.tags['account']], ['one more\ntwo', 'm9', 'al'])
  })
})

describe('outbound', () => {
  const frame: Frame = {
    target: '#a', lineBytes: 400, tags: true, multiline: null, relayAs: null, face: 'bridge', instance: 'ourinstance0',
    deliveryId: 'd1',
  } // biome-ignore format: one value
  const lines = (draft: Draft, more: Partial<Frame> = {}): string[] =>
    compose(draft, { ...frame, ...more }).flatMap(message => message.lines('L'))
  const tag = '@label=L;+chanop/d=d1;+chanop/i=ourinstance0 '

  it('writes a line with its delivery', () => {
    assert.deepEqual(lines({ content: text('hi') }), [`${tag}PRIVMSG #a :hi`])
    assert.deepEqual(compose({ content: text('hi') }, { ...frame, tags: false })[0]?.lines(null), ['PRIVMSG #a :hi'])
  })

  it('writes styles, replies, repeats and other personas', () => {
    assert.deepEqual(lines({ content: { ...text('waves'), style: 'action' } }), [
      `${tag}PRIVMSG #a :\x01ACTION waves\x01`,
    ])
    assert.deepEqual(lines({ content: { ...text('n'), style: 'notice' } }), [`${tag}NOTICE #a :n`])
    assert.match(
      lines({ content: { ...text('r'), replyTo: 'm 1' as never } })[0] ?? '',
      /\+reply=m\\s1;\+draft\/reply=m\\s1 /,
    )
    assert.deepEqual(lines({ content: text('x'), repeat: true }), [`${tag}PRIVMSG #a :(may be a repeat) x`])
    assert.deepEqual(lines({ content: text('x'), as: { name: 'oracle' } }), [`${tag}PRIVMSG #a :[oracle] x`])
  })

  it('puts the name in front of every line of a relayed person', () => {
    const as = { name: 'Bob', relayed: true as const }
    const said = lines({ content: text('one\n<eve> two\n\nthree'), as })
    assert.deepEqual(
      said.map(line => line.replace(/^.*? :/, '')),
      ['<B\u2060ob> one', '<B\u2060ob> <eve> two', '<B\u2060ob> three'],
    )
    for (const line of said) assert.match(line, /\+chanop\/o=ourinstance0 /)
    const [relay] = lines({ content: text('x'), as }, { relayAs: 'Bob/relay' })
    assert.match(relay ?? '', / RELAYMSG #a Bob\/relay :x$/)
    const blank = lines({ content: text('one\n \u3000\nthree'), as }, { relayAs: 'Bob/relay' })
    assert.deepEqual(
      blank.map(line => line.replace(/^.*? :/, '')),
      ['one', 'three'],
      'a blank relayed line would be refused, and all of it with it',
    )
  })

  it('makes names harmless', () => {
    assert.equal(shownName('a\r\n<b>\u202e\0'), 'a ‹b›')
    assert.equal(shownName('\u200b\n'), 'someone')
    assert.equal(quietName('Bob'), 'B\u2060ob')
    for (const whole of ['👩‍💻 dev', 'می‌خواهم', 'Łukasz', '日本', '❤️']) assert.equal(shownName(whole), whole)
    assert.equal(relayNick({ name: 'alice' }, '/'), 'alice/relay')
    for (const lossy of ['x,y', 'x:y', 'Łukasz', 'Zoë (web)!@x', '7of9', '-x', 'bob/dis cord', 'a'.repeat(25)])
      assert.equal(relayNick({ name: lossy }, '/'), null, lossy)
    const network = 'acme' as NetworkId
    assert.equal(relayNick({ name: 'bob', network }, '/'), 'bob/acme')
    assert.equal(relayNick({ name: 'bob [acme]', network }, '/'), 'bob/acme')
    assert.equal(relayNick({ name: 'bob [acme, look-alike letters]', network }, '/'), null)
    assert.equal(relayNick({ name: 'bob/irc', network }, '/'), null)
    assert.equal(relayNick({ name: 'bob', network: 'a-network-of-a-long-name' as NetworkId }, '/'), null)
    assert.equal(relayNick({ name: '日本' }, '/'), null)
  })

  it('uses multiline batches within their limits', () => {
    const long = Array.from({ length: 7 }, (_, index) => `line ${index}`).join('\n')
    const said = compose({ content: text(long) }, { ...frame, multiline: { maxBytes: 4096, maxLines: 4 } })
    assert.deepEqual(
      said.map(message => message.mark),
      ['d1.1-2', 'd1.2-2'],
    )
    const first = said[0]?.lines('L') ?? []
    assert.match(first[0] ?? '', /^@label=L;.* BATCH \+mL draft\/multiline #a$/)
    assert.equal(first.length, 6)
    assert.equal(first.at(-1), 'BATCH -mL')
  })

  it('splits long text and numbers the parts', () => {
    const said = compose({ content: text('word '.repeat(300)) }, frame)
    assert.ok(said.length > 3)
    assert.equal(said[1]?.mark, `d1.2-${said.length}`)
    for (const message of said) assert.ok(Buffer.byteLength(message.lines(null)[0]?.replace(/^.*? :/, '') ?? '') <= 400)
  })

  it('says nothing for nothing', () => assert.deepEqual(lines({ content: text('\n\n') }), []))
})
