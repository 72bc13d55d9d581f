import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HttpConfig } from '../../adapters/http/config.ts'
import { readPair } from '../../adapters/http/door/tls.ts'
import { readControl } from '../../adapters/irc/control.ts'
import { capabilities } from '../../adapters/irc/server/ready.ts'
import { connectRedis } from '../../core/bus/redis.ts'
import { redisSocketPath } from '../../core/paths.ts'
import { dayMs } from '../../core/text/text.ts'
import type { Plan } from '../boot/plan.ts'
import { ownApps } from '../boot/pm2.ts'
import { pingRedis } from '../boot/redis.ts'
import { stateOf } from '../boot/rise.ts'
import type { App, Instance } from '../instance.ts'
import { bad, type Finding, good } from './check.ts'

const soonDays = 30
/** Authorities give certificates for as little as six days; these are renewed by programs. */
const soonRenewedDays = 1

export async function checkRedis({ paths }: Instance, { config }: Plan): Promise<Finding> {
  const answer =
    config.redis.url === null ? await pingRedis(redisSocketPath(paths.data)) : await pingUrl(config.redis.url)
  if (answer === 'PONG') return good('redis bus', 'answers')
  if (config.redis.url === null)
    return bad('redis bus', `the managed Redis: ${answer}`, 'npm start; npx pm2 logs redis')
  return bad('redis bus', `redis.url: ${answer}`, 'start that server, or correct redis.url')
}

async function pingUrl(url: string): Promise<string> {
  const client = connectRedis({ url }, { retryStrategy: () => null, maxRetriesPerRequest: 0 })
  // Without a listener the library prints what the rejected promise says already.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await client.ping()
  } catch (error) {
    return (error as Error).message
  } finally {
    client.disconnect()
  }
}

export async function checkIrc({ paths }: Instance): Promise<Finding> {
  const control = await readControl(paths.data).catch(absent)
  if (!control) return bad('irc server', 'was not started here yet', 'npm start')
  const { plain, server, version } = control
  const offered = await capabilities(plain)
  if (offered?.has('sasl'))
    return good('irc server', `${server} ${version} takes logins on ${plain.host}:${plain.port}`)
  const detail = offered
    ? `${server} answers, its account service does not`
    : `${server} does not answer on ${plain.host}:${plain.port}`
  return bad('irc server', detail, 'npm start; npx pm2 logs ircd')
}

export async function checkCertificate({ paths }: Instance, nowMs: number = Date.now()): Promise<Finding> {
  const file = join(paths.data, 'ircd', 'cert.pem')
  const held = await readFile(file).catch(absent)
  if (!held) return bad('certificate', `${file} is not there`, 'npm start makes it')
  const endsMs = Date.parse(new X509Certificate(held).validTo)
  const fix = `remove ${file}, then npm start makes another; clients that pin it need its new fingerprint`
  return lastsLong('certificate', file, endsMs, nowMs, fix)
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}

function lastsLong(name: string, file: string, endsMs: number, nowMs: number, fix: string, soon = soonDays): Finding {
  const days = Math.floor((endsMs - nowMs) / dayMs)
  if (days > soon) return good(name, `valid for ${days} days`)
  return bad(name, days < 0 ? `${file} has run out` : `${file} runs out in ${days} days`, fix)
}

/** The pair of each HTTP network that speaks TLS itself, as it would be taken now. */
export function checkHttpCertificates({ config }: Pick<Plan, 'config'>, nowMs: number = Date.now()): Finding[] {
  return Object.entries(config.networks).flatMap(([network, settings]) => {
    const tls = settings.kind === 'http' ? (settings as unknown as HttpConfig).tls : null
    if (!tls) return []
    const name = `certificate of ${network}`
    try {
      return [lastsLong(name, tls.certificate, readPair(tls).endsMs, nowMs, 'renew it', soonRenewedDays)]
    } catch (error) {
      return [bad(name, (error as Error).message, `correct networks.${network}.tls or the files`)]
    }
  })
}

/** Every app online under PM2, and every bot's own word that it is ready. */
export async function checkApps(instance: Instance, wanted: readonly App[]): Promise<Finding[]> {
  const own = await ownApps(instance)
  return Promise.all(
    wanted.map(async name => {
      const app = own.find(listed => listed.name === name)
      if (!app) return bad(name, 'PM2 does not have it', 'npm start')
      const state = app.status === 'online' ? await stateOf(instance, name, app.startedAtMs - 1000) : app.status
      if (state === 'ready') return good(name, `ready, process ${app.pid}, ${app.restarts} restarts`)
      return bad(name, `${name} is not ready (${state})`, `npx pm2 logs ${name}`)
    }),
  )
}
