import type { NetworkId } from '../../core/event.ts'
import { networkStatuses } from '../../core/ledger/settings/networks.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import { isLoopbackHost } from '../../core/loopback.ts'
import { loginLine } from './agents/login.ts'

interface Where {
  readonly host: string
  readonly port: string
  /** SHA-256 of the server's certificate, lower-case hex. */
  readonly fingerprint: string
}

/** What a person needs to come in: the login in one line, then lines to paste for three clients. */
export function welcome(
  tx: Tx,
  { account, network }: { account: string; network: NetworkId },
  password: string,
): string {
  const login = loginLine(tx, { name: account, network }, password)
  const where = whereIs(networkStatuses(tx).find(each => each.network === network) ?? {})
  return where ? [login, ...clientLines(where, account, password), ...reach(where)].join('\n') : login
}

function whereIs({ address, fingerprint }: { address?: string; fingerprint?: string }): Where | null {
  const found = /^ircs:\/\/(.+):(\d+)$/.exec(address ?? '')
  if (!found || fingerprint === undefined) return null
  const host = (found[1] ?? '').replaceAll(/[[\]]/g, '')
  return { host: everywhere.has(host) ? 'HOST' : host, port: found[2] ?? '', fingerprint }
}

/** Addresses that a server listens on and nobody can connect to. */
const everywhere = new Set(['0.0.0.0', '::', '*'])

function clientLines({ host, port, fingerprint }: Where, account: string, password: string): string[] {
  const colons = fingerprint.toUpperCase().match(/../g)?.join(':')
  const at = host.includes(':') ? `[${host}]` : host
  const sasl = `-sasl_username=${account} -sasl_password=${password}`
  return [
    `npm run chat (the line above in FILE): npm run chat -- --server ircs://${at}:${port} --fingerprint ${fingerprint} --password-file FILE`,
    'irssi:',
    `/network add -nick ${account} -sasl_mechanism PLAIN -sasl_username ${account} -sasl_password ${password} chanop`,
    `/server add -network chanop -tls -notls_verify -tls_pinned_cert ${colons} ${host} ${port}`,
    '/connect chanop',
    'WeeChat (before 4.0: -ssl and -ssl_fingerprint):',
    `/server add chanop ${host}/${port} -tls -nicks=${account},${account}_ ${sasl} -tls_fingerprint=${fingerprint}`,
    '/connect chanop',
  ]
}

function reach({ host, port }: Where): string[] {
  if (host === 'HOST') return ['HOST is the address of the machine that Chanop runs on.']
  if (!isLoopbackHost(host)) return []
  return [
    `The server listens on its own machine alone. From another one with a login there: ssh -N -L ${port}:${host}:${port} MACHINE`,
  ]
}
