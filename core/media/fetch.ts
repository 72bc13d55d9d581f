/** Fetches what an address that somebody wrote leads to, and never what only this machine or its network may see. */
import { lookup } from 'node:dns/promises'
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { ChanopError } from '../error.ts'
import { web, webTls } from '../node-web.ts'

export interface Resolved {
  readonly address: string
  readonly family: 4 | 6
}

export interface FetchOptions {
  readonly signal: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
  /** Origins that the configuration names, such as a platform's own address: wherever they are. */
  readonly trusted?: readonly string[]
  readonly resolve?: (host: string) => Promise<readonly Resolved[]>
}

export interface Fetched {
  readonly url: string
  /** As the server says it; '' when it says nothing. */
  readonly type: string
  readonly body: AsyncIterable<Uint8Array>
}

const mostHops = 5

/** Addresses that are not of the public internet (IANA special-purpose registries). */
const reserved = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  reserved.addSubnet(network, bits, 'ipv4')
/** Of 2000::/3: what carries an IPv4 address in it (Teredo, 6to4), or is for documents. */
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  reserved.addSubnet(network, bits, 'ipv6')
const routed = new BlockList()
routed.addSubnet('2000::', 3, 'ipv6')

/** Whether anybody on the internet may be there. */
export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !reserved.check(address, 'ipv4')
  return isIP(address) === 6 && routed.check(address, 'ipv6') && !reserved.check(address, 'ipv6')
}

const refused = (why: string): ChanopError => new ChanopError('media-refused', why)

const resolveAll = async (host: string): Promise<readonly Resolved[]> =>
  (await lookup(host, { all: true, verbatim: true })) as Resolved[]

/** Where a host may be connected to; one that names a place inside as well is trusted in nothing. */
async function reach(url: URL, { trusted = [], resolve = resolveAll }: FetchOptions): Promise<readonly Resolved[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const family = isIP(host)
  const unknown = (cause?: unknown): ChanopError => new ChanopError('network-down', `${host} is not known`, { cause })
  const found =
    family === 0
      ? await resolve(host).catch((error: unknown) => Promise.reject(unknown(error)))
      : [{ address: host, family: family as 4 | 6 }]
  if (found.length === 0) throw unknown()
  if (!trusted.includes(url.origin) && !found.every(({ address }) => isPublic(address)))
    throw refused('it is at an address that is not public')
  return found
}

function checked(address: string | URL, base?: URL): URL {
  const url = URL.parse(String(address), base?.href)
  if (!url || !/^https?:/.test(url.protocol)) throw refused('it is no address of the web')
  if (url.username !== '' || url.password !== '') throw refused('its address holds a login')
  if (base?.protocol === 'https:' && url.protocol === 'http:')
    throw refused('it leads to where it can be read on the way')
  return url
}

/** One request, to the very address that was looked at: what the name leads to later does not matter. */
function once(url: URL, at: readonly Resolved[], headers: FetchOptions['headers'], signal: AbortSignal) {
  const pinned = ((_host, options, done) => {
    const [first] = at
    if (options.all) done(null, [...at])
    else done(null, first?.address ?? '', first?.family)
  }) as LookupFunction
  const { request } = url.protocol === 'https:' ? webTls() : web()
  return new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request(url, { lookup: pinned, headers, signal, agent: false }, resolve)
    asked.on('error', error => reject(new ChanopError('network-down', `${url.host} did not answer`, { cause: error })))
    asked.end()
  })
}

/**
 * Follows redirects, each looked at anew. Rejects `media-refused` for what may not be fetched, `not-found` for what is gone,
 * `network-down` for what may be there later. The body is the caller's to end and to limit.
 */
export async function fetchPublic(address: string, options: FetchOptions): Promise<Fetched> {
  let url = checked(address)
  let { headers } = options
  for (let hop = 0; hop <= mostHops; hop++) {
    const answer = await once(url, await reach(url, options), headers, options.signal)
    const { statusCode = 0, headers: told } = answer
    if (statusCode >= 200 && statusCode < 300) return { url: url.href, type: told['content-type'] ?? '', body: answer }
    answer.destroy()
    if (statusCode === 404 || statusCode === 410) throw new ChanopError('not-found', 'it is not there any more')
    if (statusCode === 429 || statusCode >= 500) throw new ChanopError('network-down', `${url.host} says ${statusCode}`)
    if (statusCode < 300 || statusCode >= 400 || told.location === undefined)
      throw refused(`${url.host} says ${statusCode}`)
    const next = checked(told.location, url)
    // What was meant for one server is not told to another.
    if (next.origin !== url.origin) headers = undefined
    url = next
  }
  throw refused('it leads on and on')
}
