/** Ergo's configuration. Pure: settings in, YAML out. */
import { join } from 'node:path'
import { stringify } from 'yaml'
import {
  controlAccount,
  type Folders,
  formatEndpoint,
  history,
  networkName,
  type Settings,
  serverName,
} from './settings.ts'

export function ergoConfig(settings: Settings, { ircd, ergo, logins }: Folders): string {
  return stringify({
    network: { name: networkName },
    server: server(settings, ircd),
    accounts: accounts(logins),
    channels: channels(settings.freeChannels),
    'oper-classes': operClasses,
    opers: { [controlAccount]: { class: 'chanop', hidden: true, password: settings.secrets.operHash } },
    logging: [
      { method: 'stderr', type: '* -server -userinput -useroutput', level: 'warn' },
      { method: 'stderr', type: 'server', level: 'info' },
    ],
    debug: { 'recover-from-errors': true },
    'lock-file': join(ergo, 'ircd.lock'),
    datastore: {
      path: join(ergo, 'ircd.db'),
      autoupgrade: true,
      ...(settings.diskHistory
        ? { sqlite: { enabled: true, 'database-path': join(ergo, 'history.db'), 'busy-timeout': '5s', 'max-conns': 1 } }
        : {}),
    },
    languages: { enabled: false, default: 'en' },
    limits: limits,
    fakelag: { enabled: false },
    roleplay: { enabled: false },
    history: historySection(settings.diskHistory === true),
    'allow-environment-overrides': false,
    metadata: { enabled: true, 'operator-only-modification': false, 'max-subs': 100, 'max-keys': 100 },
    api: { enabled: true, listener: `127.0.0.1:${settings.httpPort}`, 'bearer-tokens': [settings.secrets.api] },
  })
}

const server = (settings: Settings, ircd: string): object => ({
  name: serverName,
  listeners: {
    [formatEndpoint(settings.plain)]: {},
    [formatEndpoint(settings.tls)]: {
      tls: { cert: join(ircd, 'cert.pem'), key: join(ircd, 'key.pem') },
      'min-tls-version': 1.2,
    },
  },
  casemapping: 'ascii',
  'enforce-utf8': true,
  'lookup-hostnames': false,
  'check-ident': false,
  'coerce-ident': '~u',
  motd: join(ircd, 'motd.txt'),
  'motd-formatting': false,
  'idle-timeouts': { registration: '60s', ping: '1m30s', disconnect: '2m30s' },
  // Only who is operator of the server speaks under others' names: `bridge`.
  relaymsg: { enabled: true, separators: '/', 'available-to-chanops': false },
  // Room for a multiline batch of the size below and for catching up on history; a stalled reader is dropped at it.
  'max-sendq': '8M',
  compatibility: { 'force-trailing': true, 'send-unprefixed-sasl': true, 'allow-truncation': false },
  'ip-limits': { count: false, throttle: false, 'cidr-len-ipv4': 32, 'cidr-len-ipv6': 64, exempted: ['localhost'] },
  'ip-cloaking': {
    enabled: true,
    'enabled-for-always-on': true,
    netname: 'chanop',
    'cidr-len-ipv4': 32,
    'cidr-len-ipv6': 64,
    'num-bits': 64,
  },
  // 0 would mean the default of 10 s: a control session that reconnects has to become operator at once.
  'oper-throttle': '1ms',
})

const accounts = (guard: string): object => ({
  'authentication-enabled': true,
  // Accounts are made by `!agent` and `!person` alone.
  // The lowest bcrypt cost: passwords are 256 random bits, and 500 agents log in together after a restart.
  registration: {
    enabled: false,
    'allow-before-connect': false,
    'bcrypt-cost': 4,
    throttling: { enabled: false },
    'verify-timeout': '32h',
  },
  // For each connection.
  'login-throttling': { enabled: true, duration: '1m', 'max-attempts': 5 },
  'skip-server-password': false,
  'login-via-pass-command': true,
  // No account has what SCRAM needs: every password goes by the guard, which counts the wrong ones.
  'advertise-scram': false,
  'auth-script': {
    enabled: true,
    socket: guard,
    autocreate: false,
    // Whoever is slowed down is let wait.
    timeout: '20s',
    'kill-timeout': '1s',
    // None waits for one that is slowed down.
    'max-concurrency': 0,
  },
  // Loopback is not exempt: who reaches the port still needs an account.
  'require-sasl': { enabled: true, exempted: [] },
  'nick-reservation': {
    enabled: true,
    'additional-nick-limit': 0,
    method: 'strict',
    'allow-custom-enforcement': false,
    'guest-nickname-format': 'Guest-*',
    'force-guest-format': false,
    'force-nick-equals-account': true,
    'forbid-anonymous-nick-changes': true,
  },
  multiclient: { enabled: true, 'allowed-by-default': true, 'always-on': 'disabled', 'auto-away': 'disabled' },
  vhosts: { enabled: false, 'max-length': 64, 'valid-regexp': '^[0-9A-Za-z.\\-_/]+$' },
  'default-user-modes': '+i',
})

const channels = (free: boolean): object => ({
  'default-modes': '+ntC',
  'max-channels-per-client': 5000,
  'operator-only-creation': !free,
  registration: { enabled: true, 'operator-only': true, 'max-channels-per-account': 5000 },
  'list-delay': '0s',
  'invite-expiration': '24h',
})

const operClasses = {
  chanop: {
    title: 'Chanop',
    capabilities: [
      'kill',
      'ban',
      'nofakelag',
      'relaymsg',
      'sajoin',
      'samode',
      'snomasks',
      'rehash',
      'accreg',
      'chanreg',
      'history',
      'massmessage',
      'metadata',
    ],
  },
}

const limits = {
  nicklen: 32,
  identlen: 20,
  realnamelen: 150,
  channellen: 64,
  awaylen: 390,
  kicklen: 390,
  topiclen: 390,
  'monitor-entries': 2000,
  'whowas-entries': 100,
  'chan-list-modes': 5000,
  'registration-messages': 1024,
  multiline: { 'max-bytes': 32_768, 'max-lines': 500 },
}

const historySection = (onDisk: boolean): object => ({
  enabled: true,
  'channel-length': history.ergoLines,
  'client-length': 256,
  'autoresize-window': '3d',
  'autoreplay-on-join': 0,
  'chathistory-maxmessages': 1000,
  'znc-maxmessages': 2048,
  restrictions: { 'expire-time': '0', 'query-cutoff': 'none', 'grace-period': '1h' },
  // Logins are handed over by DM: those stay in memory, 256 lines an account, and never reach a disk.
  persistent: {
    enabled: onDisk,
    'unregistered-channels': false,
    'registered-channels': 'mandatory',
    'direct-messages': 'disabled',
  },
  // Without it REDACT is not offered.
  retention: { 'allow-individual-delete': true, 'enable-account-indexing': onDisk },
  'tagmsg-storage': { default: false, whitelist: ['+draft/react', '+react', '+draft/unreact'] },
})
