/** Who signed what came to a webhook, each sender's own way, in a time that says nothing of how near it was. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { HookFormat } from './formats.ts'
import type { Posted } from './render.ts'

/** A signature that names its time is good for so long. */
const staleSeconds = 300

const same = (one: string, other: string): boolean => {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const hmac = (secret: string, words: string): string => createHmac('sha256', secret).update(words).digest('hex')

const isFresh = (seconds: string, nowMs: number): boolean =>
  /^\d{9,13}$/.test(seconds) && Math.abs(nowMs / 1000 - Number(seconds)) <= staleSeconds

/** Standard Webhooks: https://www.standardwebhooks.com. The secret is used as it is written. */
function standard({ body, header }: Posted, secret: string, nowMs: number): boolean {
  const [id, seconds] = [header('webhook-id'), header('webhook-timestamp')]
  if (id === '' || !isFresh(seconds, nowMs)) return false
  const right = createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')
  return header('webhook-signature')
    .split(' ')
    .slice(0, 10)
    .some(one => same(one, `v1,${right}`))
}

/** `X-Hub-Signature-256: sha256=…` over the body, as GitHub does. */
const hub = ({ body, header }: Posted, secret: string): boolean =>
  same(header('x-hub-signature-256'), `sha256=${hmac(secret, body)}`)

/** Grafana's contact points, with the time where they are told to send it. */
function grafana({ body, header }: Posted, secret: string, nowMs: number): boolean {
  const seconds = header('x-grafana-alerting-signature-timestamp')
  if (seconds !== '' && !isFresh(seconds, nowMs)) return false
  return same(header('x-grafana-alerting-signature'), hmac(secret, seconds === '' ? body : `${seconds}:${body}`))
}

/** A program that can't sign may send the secret itself: Alertmanager's `authorization`, a script. */
const bearer = ({ header }: Posted, secret: string): boolean => same(header('authorization'), `Bearer ${secret}`)

export function isSigned(format: HookFormat, posted: Posted, secret: string, nowMs = Date.now()): boolean {
  if (format === 'github') return hub(posted, secret)
  if (format === 'gitlab') return same(posted.header('x-gitlab-token'), secret) || standard(posted, secret, nowMs)
  if (format === 'grafana' && grafana(posted, secret, nowMs)) return true
  return bearer(posted, secret) || hub(posted, secret) || standard(posted, secret, nowMs)
}
