import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ChanopError } from '../../../core/error.ts'
import { importOf } from './apply.ts'
import { planImport } from './matterbridge.ts'

const nothing = { networks: new Set<string>(), rooms: new Set<string>(), places: new Set<string>() }

const file = `
[irc]
  [irc.Libera]
  Nick="matterbot"
  Server="irc.libera.chat:6697"
  UseTLS=true
  UseSASL=true
  NickServNick="matterbot"
  NickServPassword="hunter2"
  RemoteNickFormat="[{PROTOCOL}] <{NICK}> "
  IgnoreNicks="spammer1 spammer.*"
  IgnoreMessages="^~~ (?!x)"
  ShowJoinPart=true
  ReplaceMessages=[ ["cat","dog"], ["(","x"] ]
[discord.acme]
Token="Bot abc.def"
Server="acme"
[slack.work]
Token="xoxb-1"
[telegram."my tele"]
Token="1:AA"
[matrix.home]
Server="https://matrix.example.org"
Login="bridge"
Password="pw"
[mattermost.x]
Server="mm"
[irc.unused]
Nick="n"
Server="irc.example.org"
[general]
RemoteNickFormat="<{NICK}> "
[[gateway]]
name="Main Room"
enable=true
[[gateway.inout]]
account="irc.libera"
channel="#Chanop"
[[gateway.inout]]
account="discord.acme"
channel="ID:123456789012345678"
[[gateway.in]]
account="slack.work"
channel="C0123456789"
[[gateway.out]]
account="telegram.my tele"
channel="-1001234567890/7"
[[gateway.inout]]
account="matrix.home"
channel="#general:example.org"
[[gateway.inout]]
account="discord.acme"
channel="general"
[[gateway.inout]]
account="mattermost.x"
channel="town"
[[gateway]]
name="off"
enable=false
[[gateway.inout]]
account="irc.libera"
channel="#off"
[[samechannelgateway]]
name="same"
enable=true
accounts=["irc.libera","matrix.home"]
channels=["#one","#two:example.org"]
`

it('accounts become networks, gateways rooms, tokens secrets; the rest is said', () => {
  const { networks, rooms, secrets, missed } = planImport(file, nothing)
  assert.deepEqual(networks, {
    libera: {
      kind: 'irc',
      host: 'irc.libera.chat',
      port: 6697,
      tls: true,
      nick: 'matterbot',
      personas: false,
      sasl: { account: 'matterbot', password: 'secret:libera.password' },
    },
    acme: { kind: 'discord', token: 'secret:acme.token' },
    work: { kind: 'slack', token: 'secret:work.token', appToken: 'secret:work.app' },
    'my-tele': { kind: 'telegram', token: 'secret:my-tele.token' },
    home: {
      kind: 'matrix',
      homeserver: 'https://matrix.example.org',
      user: '@bridge:matrix.example.org',
      password: 'secret:home.password',
    },
  })
  assert.deepEqual(secrets, {
    'libera.password': 'hunter2',
    'acme.token': 'abc.def',
    'work.token': 'xoxb-1',
    'my-tele.token': '1:AA',
    'home.password': 'pw',
  })
  const ignore = { names: ['^(?:spammer1)$', '^(?:spammer.*)$'], texts: ['^~~'] }
  const replace = [{ find: 'cat', with: 'dog' }]
  assert.deepEqual(rooms, {
    'main-room': {
      places: [
        'work:C0123456789',
        'my-tele:-1001234567890',
        'libera:#chanop',
        'acme:123456789012345678',
        'home:#general:example.org',
      ],
      joins: true,
      names: 'always',
      direction: { 'work:C0123456789': 'in', 'my-tele:-1001234567890': 'out' },
      ignore,
      replace,
    },
    'same-one': { places: ['libera:#one'], joins: true, names: 'always', direction: {}, ignore, replace },
    'same-two-example-org': {
      places: ['libera:#two:example.org', 'home:#two:example.org'],
      joins: true,
      names: 'always',
      direction: {},
      ignore,
      replace,
    },
  })
  for (const line of [
    /^work needs an app-level token|^slack\.work needs an app-level token \(xapp-…\) here: set the secret work\.app$/,
    /^matrix\.home is taken for @bridge:matrix\.example\.org/,
    /^mattermost\.x: there is no network of the kind mattermost here$/,
    /^gateway Main Room: discord\.acme names its channel general: write its id/,
    /^gateway Main Room: mattermost\.x was not taken over, nor its channel town$/,
    /^gateway off is not enabled there/,
    /^gateway same-#one: matrix\.home names its channel #one: write its alias or id with the server/,
    /^IgnoreMessages: a pattern was left out/,
    /^ReplaceMessages: a pattern was left out/,
    /^irc\.unused is in no gateway/,
  ])
    assert.ok(
      missed.some(each => line.test(each)),
      `${line}\n${missed.join('\n')}`,
    )
  assert.doesNotMatch(missed.join('\n'), /hunter2|abc\.def|xoxb|1:AA|\bpw\b/)
})

it('nothing that is there already is changed', () => {
  const plan = planImport(file, {
    networks: new Set(['libera', 'libera-2']),
    rooms: new Set(['main-room']),
    places: new Set(['libera-3:#chanop']),
  })
  assert.ok('libera-3' in plan.networks)
  assert.ok('main-room-2' in plan.rooms)
  assert.ok(plan.missed.some(line => line.includes('libera-3:#chanop is in another room already')))
})

it('what is no such file is refused in a line that quotes nothing of it', () => {
  for (const [text, answer] of [
    ['token = "secret', /^line 1 of the file is no TOML: mend it and import it again$/],
    ['', /^there is no \[\[gateway\]\] in it: is this a matterbridge\.toml\?$/],
    ['gateway = 7', /no \[\[gateway\]\]/],
    ['[[gateway]]\nname = 3\nenable = true\n[[gateway.inout]]\naccount = 5', null],
    ['irc = "x"\n[[gateway]]\nenable=true\ninout = "y"', null],
    ['[__proto__.x]\nToken="t"\n[[gateway]]\nname="__proto__"\nenable=true', null],
  ] as const) {
    if (answer) assert.throws(() => planImport(text, nothing), { message: answer })
    else assert.deepEqual(planImport(text, nothing).rooms, {})
  }
})

it('what a channel has that has no counterpart here is said, and no password comes in by an address', () => {
  const { networks, rooms, missed } = planImport(
    `
[irc.libera]
Nick="n"
Server="irc.libera.chat:6697"
IgnoreNicks="${Array.from({ length: 300 }, (_, n) => `n${n}`).join(' ')}"
[matrix.bare]
Server="matrix.example.org"
Login="b"
Password="p"
[matrix.spoilt]
Server="https://b:sesame-77@matrix.example.org"
Login="b"
Password="p"
[telegram.t]
Token="1:A"
[[gateway]]
name="all"
enable=true
[[gateway.inout]]
account="irc.libera"
channel="#locked"
[gateway.inout.options]
key="sesame-78"
[[gateway.inout]]
account="irc.libera"
channel="#a\\r\\nQUIT"
[[gateway.inout]]
account="matrix.bare"
channel="#a:example.org"
[[gateway.inout]]
account="matrix.spoilt"
channel="#b:example.org"
[[gateway.inout]]
account="telegram.t"
channel="-1001/7"
`,
    nothing,
  )
  assert.equal(networks['bare']?.['homeserver'], 'https://matrix.example.org')
  assert.ok(!('spoilt' in networks))
  assert.equal(rooms['all']?.ignore.names.length, 200)
  for (const line of [
    /^gateway all: irc\.libera #locked: its key: channels with a key are not entered here$/,
    /^gateway all: irc\.libera names its channel #a  QUIT: write its name with #/,
    /^matrix\.spoilt has a Server that is no plain address/,
    /^gateway all: telegram\.t -1001\/7: its topic: all topics of the group are in the room, as threads$/,
    /^IgnoreNicks: the first 200 of 300 were taken over$/,
  ])
    assert.ok(
      missed.some(each => line.test(each)),
      `${line}\n${missed.join('\n')}`,
    )
  assert.doesNotMatch(JSON.stringify([networks, rooms, missed]), /sesame/)
})

it('a large file is looked at in few looks, whatever in it does not fit', () => {
  let looks = 0
  const settings = {
    current: { networks: {}, rooms: {} },
    checkAll(changes: object): void {
      looks++
      if ('rooms.bad' in changes) throw new ChanopError('usage', 'rooms.bad is wrong')
    },
  }
  const gateway = (name: string, n: number): string =>
    `[[gateway]]\nname="${name}"\nenable=true\n[[gateway.inout]]\naccount="irc.l"\nchannel="#c${n}"\n`
  const rooms = Array.from({ length: 1000 }, (_, n) => gateway(n === 700 ? 'bad' : `r${n}x`, n)).join('')
  const { changes, missed } = importOf(settings as never, `[irc.l]\nNick="n"\nServer="h"\n${rooms}`)
  assert.equal(Object.keys(changes).length, 1000)
  assert.deepEqual(missed, ['rooms.bad is wrong'])
  assert.ok(looks < 30, String(looks))
})

it('files of the wild: whatever is in them is taken over or said, and no token is told', () => {
  const wild = `\ufeff# written on Windows\r
[general]\r
RemoteNickFormat="[{PROTOCOL}] <{NICK}> "\r
MediaServerUpload="https://u:sesame-1@files.example.org"\r
MediaDownloadPath="/var/www/files"\r
IgnoreNicks="bot1"\r
[tengo]\r
InMessage="in.tengo"\r
[irc.oftc]\r
Server="irc.oftc.net:6697"\r
Nick="mb"\r
UseTLS=true\r
NickServNick="mb"\r
NickServPassword="sesame-2"\r
RunCommands=["PRIVMSG Q :AUTH sesame-3"]\r
ReplaceNicks=[ ["-",""] ]\r
Charset="gbk"\r
[slack.legacy]\r
WebhookURL="https://hooks.slack.com/services/T0/B0/sesame-4"\r
[telegram.t]\r
Token="123:sesame-5"\r
MessageFormat="HTMLNick :"\r
[whatsapp.w]\r
Number="+1555"\r
[xmpp.x]\r
Jid="a@b"\r
Password="sesame-6"\r
[keybase.k]\r
Team="t"\r
[discord.d]\r
Token="sesame-7"\r
Server="s"\r
[discord.d.extra]\r
x=1\r
[[gateway]]\r
name="g"\r
enable=true\r
  [[gateway.in]]\r
  account="irc.oftc"\r
  channel="#in"\r
  [[gateway.out]]\r
  account="irc.oftc"\r
  channel="#in"\r
  [[gateway.out]]\r
  account="discord.d"\r
  channel="category/general"\r
  [[gateway.inout]]\r
  account="api.myapi"\r
  channel="api"\r
  [[gateway.inout]]\r
  account="telegram.t"\r
  channel=-100123\r
[[gateway]]\r
name="g"\r
enable=true\r
  [[gateway.inout]]\r
  account="irc.oftc"\r
  channel="#IN"\r
  [[gateway.inout]]\r
  account="irc.oftc"\r
  channel="#other"\r
[[samechannelgateway]]\r
enable=true\r
accounts=["irc.oftc","xmpp.x"]\r
channels=["#same"]\r
`
  const { networks, rooms, secrets, missed } = planImport(wild, nothing)
  assert.deepEqual(Object.keys(networks).toSorted(), ['oftc', 't'])
  assert.deepEqual(
    Object.values(rooms).map(({ places, direction }) => [places, direction]),
    [
      [['oftc:#in', 't:-100123'], {}],
      [['oftc:#other'], {}],
      [['oftc:#same'], {}],
    ],
  )
  assert.deepEqual(rooms['g']?.ignore.names, ['^(?:bot1)$'])
  assert.deepEqual(secrets, { 'oftc.password': 'sesame-2', 't.token': '123:sesame-5' })
  for (const line of [
    /^general: mediaserverupload: files are given out/,
    /^tengo: scripts are not run here$/,
    /^irc\.oftc: runcommands: no lines of its own/,
    /^irc\.oftc: replacenicks: names are shown as they are$/,
    /^irc\.oftc: charset: text is UTF-8 here$/,
    /^slack\.legacy has no Token/,
    /^whatsapp\.w: there is no network of the kind whatsapp here$/,
    /^xmpp\.x: there is no network of the kind xmpp here$/,
    /^keybase\.k: there is no network of the kind keybase here$/,
    /^gateway g: discord\.d names its channel category\/general: write its id/,
    /^gateway g: api\.myapi was not taken over, nor its channel api$/,
    /^gateway g: oftc:#in is in another room already/,
    /^gateway room-#same: xmpp\.x was not taken over/,
    /^discord\.d is in no gateway that was taken over/,
  ])
    assert.ok(
      missed.some(each => line.test(each)),
      `${line}\n${missed.join('\n')}`,
    )
  assert.doesNotMatch(missed.join('\n'), /sesame/)
})
