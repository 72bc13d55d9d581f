/** Anope 2.0's configuration: services for the managed InspIRCd. Pure: settings in, text out. */
import { join } from 'node:path'
import { controlAccount, type Folders, networkName, type Settings, servicesName } from './settings.ts'

type Values = Readonly<Record<string, string | number | boolean>>

const value = (written: string | number | boolean): string => {
  if (typeof written === 'boolean') return written ? 'yes' : 'no'
  return typeof written === 'number' ? String(written) : `"${written}"`
}

const block = (name: string, values: Values): string =>
  `${name} { ${Object.entries(values)
    .map(([key, written]) => `${key} = ${value(written)};`)
    .join(' ')} }`

/** What a configuration can't carry inside quotes: there is no escape for it. */
export const unquotable = /["\\\r\n]/

export function anopeConfig(settings: Settings, { anope }: Folders): string {
  const host = servicesName
  return `${[
    // By the guard of logins, which leads on to the IRC server.
    block('uplink', { host: '127.0.0.1', port: settings.httpPort, password: settings.secrets.link }),
    block('serverinfo', {
      name: host,
      description: 'services',
      pid: join(anope, 'anope.pid'),
      motd: join(anope, 'motd'),
    }),
    block('module', { name: 'inspircd3', use_server_side_mlock: true, use_server_side_topiclock: true }),
    block('networkinfo', {
      networkname: networkName,
      nicklen: 32,
      userlen: 10,
      hostlen: 64,
      chanlen: 64,
      modelistsize: 100,
    }),
    // No value of these timers may be 0: some are refused, one makes an endless loop.
    block('options', {
      casemap: 'ascii',
      // Ends a connection that guesses by RECOVER.
      badpasslimit: 5,
      badpasstimeout: '10m',
      updatetimeout: '5m',
      expiretimeout: '30m',
      readtimeout: '1s',
      warningtimeout: '4h',
      timeoutcheck: '1s',
      retrywait: '1s',
      hideprivilegedcommands: true,
      hideregisteredcommands: true,
    }),
    'log { target = "services.log"; logage = 7; admin = "*"; override = "*"; servers = "*"; other = "*"; rawio = no; }',
    block('opertype', { name: 'Root', commands: '*', privs: '*' }),
    block('oper', { name: controlAccount, type: 'Root', require_oper: true }),
    block('mail', { usemail: false, sendmailpath: '/bin/false', sendfrom: 'root@localhost', delay: '5m' }),
    block('service', { nick: 'NickServ', user: 'services', host, gecos: 'Accounts' }),
    block('service', { nick: 'OperServ', user: 'services', host, gecos: 'Operators' }),
    block('module', { name: 'db_flatfile', database: 'anope.db', keepbackups: 7, fork: false }),
    block('module', { name: 'enc_sha256' }),
    ...nickServ(host),
    block('module', { name: 'operserv', client: 'OperServ' }),
    ...commands(settings.secrets.register),
  ].join('\n')}\n`
}

const nickServ = (host: string): string[] => [
  // `expire = 0`: accounts stay for ever. `releasetimeout`: how long a nick is held for nobody after it was taken back.
  block('module', {
    name: 'nickserv',
    client: 'NickServ',
    forceemail: false,
    regdelay: '0s',
    expire: 0,
    passlen: 128,
    releasetimeout: '1s',
    killquick: '20s',
    kill: '60s',
    guestnickprefix: 'Guest',
    enforceruser: 'enforcer',
    enforcerhost: host,
    defaults: 'killprotect kill_quick kill_immed ns_secure ns_private hide_email hide_mask hide_status hide_quit',
  }),
  block('module', { name: 'ns_register', registration: 'none', nickregdelay: '0s' }),
  block('module', { name: 'ns_cert', max: 5 }),
  block('module', { name: 'ns_identify', maxlogins: 0 }),
  block('module', { name: 'ns_list', listmax: 100_000 }),
  ...[
    'm_sasl',
    'ns_info',
    'ns_drop',
    'ns_set',
    'ns_suspend',
    'ns_status',
    'ns_recover',
    'help',
    'os_update',
    'os_kill',
  ].map(name => block('module', { name })),
]

/**
 * REGISTER and IDENTIFY have unguessable names: only Chanop makes accounts, and who is logged in stays who it is. Passwords,
 * certificates and the end of an account are Chanop's alone: what a user could change there would outlive a rotation.
 */
const commands = (register: string): string[] => {
  const nick = (name: string, command: string, permission?: string): string =>
    block('command', {
      service: 'NickServ',
      name,
      command: `nickserv/${command}`,
      ...(permission ? { permission: `nickserv/${permission}` } : {}),
    })
  const oper = (name: string): string =>
    block('command', {
      service: 'OperServ',
      name,
      command: `operserv/${name.toLowerCase()}`,
      permission: `operserv/${name.toLowerCase()}`,
    })
  return [
    ...['REGISTER', 'IDENTIFY'].map(name =>
      block('command', {
        service: 'NickServ',
        name: `${register}.${name}`,
        command: `nickserv/${name.toLowerCase()}`,
        hide: true,
      }),
    ),
    ...['RECOVER', 'INFO'].map(name => nick(name, name.toLowerCase())),
    nick('CERT', 'cert', 'cert'),
    ...['SUSPEND', 'UNSUSPEND', 'DROP', 'LIST'].map(name =>
      nick(name, name.toLowerCase(), name === 'UNSUSPEND' ? 'suspend' : name.toLowerCase()),
    ),
    nick('SASET', 'saset', 'saset/'),
    nick('SASET PASSWORD', 'saset/password', 'saset/password'),
    oper('UPDATE'),
    oper('KILL'),
  ]
}
