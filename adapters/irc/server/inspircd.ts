/** InspIRCd 3's configuration. Pure: settings in, text out. */
import { basename, join } from 'node:path'
import {
  botHost,
  controlAccount,
  type Folders,
  history,
  networkName,
  type Settings,
  serverName,
  servicesName,
} from './settings.ts'

/** Who comes by the unix socket, as the server sees it: the socket's path takes the place of the host. */
const maskOf = (socket: string): string => `*/${basename(socket)}`

// biome-ignore format: one name a line says nothing more
// Only modules that need no more than libstdc++ and libgnutls, which every Debian has: httpd would need libhttp-parser.
const modules = [
  'spanningtree', 'cap', 'sasl', 'services_account', 'hidechans', 'ircv3', 'ircv3_accounttag', 'ircv3_batch', 'ircv3_capnotify',
  'ircv3_chghost', 'ircv3_ctctags', 'ircv3_echomessage', 'ircv3_invitenotify', 'ircv3_labeledresponse', 'ircv3_msgid',
  'ircv3_servertime', 'monitor', 'namesx', 'uhnames', 'setname', 'botmode', 'md5', 'sha256', 'cloaking', 'conn_umodes',
  'hostchange', 'permchannels', 'chanhistory', 'svshold', 'chghost', 'chgident', 'chgname', 'samode', 'sajoin', 'sanick', 'sapart',
  'sakick', 'satopic', 'customprefix', 'banexception', 'muteban', 'timedbans', 'shun', 'globops', 'check', 'xline_db', 'nicklock',
  'mlock', 'topiclock', 'ssl_gnutls', 'sslinfo', 'alias', 'autoop',
  'inviteexception',
]

type Attributes = Readonly<Record<string, string | number>>

const escape = (value: string | number): string =>
  String(value).replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const tag = (name: string, attributes: Attributes): string =>
  `<${name} ${Object.entries(attributes)
    .map(([key, value]) => `${key}="${escape(value)}"`)
    .join(' ')}>`

export function inspircdConfig(settings: Settings, { ircd, inspircd, socket }: Folders): string {
  const data = join(inspircd, 'data')
  const run = join(inspircd, 'run')
  const parts: [string, Attributes][] = [
    [
      'path',
      {
        configdir: inspircd,
        datadir: data,
        logdir: join(inspircd, 'log'),
        runtimedir: run,
        moduledir: modulesOf(settings),
      },
    ],
    ['server', { name: serverName, description: 'Chanop', network: networkName, id: '0CH' }],
    ['admin', { name: 'Chanop', nick: 'admin', email: 'root@localhost' }],
    ...listeners(settings, ircd, socket),
    ...[...modules, ...(settings.freeChannels ? [] : ['restrictchans'])].map((name): [string, Attributes] => [
      'module',
      { name },
    ]),
    ...limits(settings, ircd),
    ...classes(maskOf(socket)),
    ...services(settings, data),
    ['xlinedb', { filename: join(data, 'xline.db') }],
    ['oper', { name: controlAccount, password: settings.secrets.oper, host: `*@${maskOf(socket)}`, type: 'Chanop' }],
    [
      'log',
      { method: 'file', type: '* -USERINPUT -USEROUTPUT -m_ircv3_ctctags', level: 'default', target: 'inspircd.log' },
    ],
  ]
  return `${parts.map(([name, attributes]) => tag(name, attributes)).join('\n')}\n`
}

const modulesOf = ({ program }: Settings): string => (program.server === 'inspircd' ? program.ircdModules : '')

const limits = (settings: Settings, ircd: string): [string, Attributes][] => [
  ['options', { casemapping: 'ascii', defaultmodes: 'not' }],
  ['channels', { users: 1000, opers: 5000 }],
  // A closed channel names each account that may enter.
  ['maxlist', { chan: '*', limit: 5000 }],
  ['files', { motd: join(ircd, 'motd.txt') }],
  // Longer lines than 512 would be cut in silence, even inside a character: so far more room, announced as LINELEN.
  [
    'limits',
    {
      maxnick: 32,
      maxchan: 64,
      maxhost: 107,
      maxtopic: 390,
      maxkick: 300,
      maxquit: 300,
      maxreal: 130,
      maxline: 8192,
    },
  ],
  ['security', { maxtargets: 20, announceinvites: 'dynamic', hideulines: 'no' }],
  ['performance', { softlimit: 20_000, somaxconn: 1024, netbuffersize: 65_534, clonesonconnect: 'no' }],
  ['ctctags', { allowclientonlytags: 'yes' }],
  ['cloak', { mode: 'half', key: settings.secrets.cloak, prefix: '' }],
  ['sasl', { target: servicesName, requiressl: 'no' }],
  ['chanhistory', { maxlines: history.inspircdMost, prefixmsg: 'yes', bots: 'yes', enableumode: 'yes' }],
  ['monitor', { maxentries: 2000 }],
  ['customprefix', { name: 'founder', letter: 'q', prefix: '~', rank: 50_000, ranktoset: 50_000 }],
  // Nobody takes a bot's nick by NICK, even while services are away; the control session gives it by SANICK.
  ...settings.bots.map((nick): [string, Attributes] => ['badnick', { nick, reason: 'kept for a bot' }]),
]

const services = (settings: Settings, data: string): [string, Attributes][] => [
  [
    'link',
    {
      name: servicesName,
      ipaddr: '127.0.0.1',
      port: 1,
      allowmask: '127.0.0.0/8',
      sendpass: settings.secrets.link,
      recvpass: settings.secrets.link,
    },
  ],
  ['uline', { server: servicesName, silent: 'yes' }],
  ['permchanneldb', { filename: join(data, 'permchannels.conf'), listmodes: 'yes', saveperiod: '1s', operonly: 'yes' }],
  ['include', { file: join(data, 'permchannels.conf'), missingokay: 'yes' }],
]

const listeners = (settings: Settings, ircd: string, socket: string): [string, Attributes][] => [
  ['bind', { address: settings.plain.host, port: settings.plain.port, type: 'clients' }],
  ['bind', { address: settings.tls.host, port: settings.tls.port, type: 'clients', sslprofile: 'Clients' }],
  ['bind', { path: socket, type: 'clients', permissions: '600', replace: 'yes' }],
  ['bind', { address: '127.0.0.1', port: settings.linkPort, type: 'servers' }],
  ['hostchange', { mask: maskOf(socket), action: 'set', value: botHost }],
  ['gnutls', { onrehash: 'yes' }],
  [
    'sslprofile',
    {
      name: 'Clients',
      provider: 'gnutls',
      certfile: join(ircd, 'cert.pem'),
      keyfile: join(ircd, 'key.pem'),
      hash: 'sha256',
      requestclientcert: 'yes',
    },
  ],
]

/** A class is chosen twice: at accept (`registered="no"`) and when the login is complete. */
const classes = (socketMask: string): [string, Attributes][] => [
  [
    'connect',
    {
      name: 'all',
      allow: '*',
      registered: 'no',
      timeout: '30s',
      maxconnwarn: 'no',
      ...roomy,
      // A login takes ten commands; a guess takes two. Who tries on is cut off.
      threshold: 24,
      commandrate: 200,
      recvq: '1M',
      softsendq: '1M',
      hardsendq: '8M',
    },
  ],
  [
    'connect',
    {
      name: 'bots',
      allow: socketMask,
      registered: 'yes',
      pingfreq: '90s',
      ...roomy,
      threshold: 4_000_000,
      commandrate: 1_000_000_000,
      recvq: '1M',
      // A whole history may be replayed to them.
      softsendq: '8M',
      hardsendq: '512M',
      maxchans: 5000,
      modes: '+xi',
    },
  ],
  [
    'connect',
    {
      name: 'users',
      allow: '*',
      registered: 'yes',
      requireaccount: 'yes',
      pingfreq: '90s',
      ...roomy,
      // 2,000 lines a second after 4,000 at once: more waits, and ends the connection when it fills recvq.
      fakelag: 'yes',
      threshold: 4000,
      commandrate: 2_000_000,
      recvq: '1M',
      softsendq: '1M',
      hardsendq: '8M',
      maxchans: 1000,
      // `N`: no replay at JOIN, until they take it off themselves.
      modes: '+xiN',
    },
  ],
  ['class', { name: 'c', commands: '*', privs: '*', usermodes: '*', chanmodes: '*', snomasks: '*' }],
  ['type', { name: 'Chanop', classes: 'c', maxchans: 5000 }],
]

const roomy: Attributes = { resolvehostnames: 'no', localmax: 5000, globalmax: 5000, fakelag: 'no' }
