import { isIP } from 'node:net'
import { z } from 'zod'
import { address } from '../../core/config/fields.ts'
import { isLoopbackHost } from '../../core/loopback.ts'

const peer = z.string().refine(written => {
  const [ip = '', bits, more] = written.split('/')
  const most = isIP(ip) === 4 ? 32 : 128
  return (
    isIP(ip) !== 0 && more === undefined && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
  )
}, 'write an IP address or a network such as 172.17.0.0/16')

const origin = z
  .string()
  .regex(/^https?:\/\/[^/\s*]+$/, 'write an origin such as https://chat.example.org, without a path')

const perMinute = z.int().min(1).max(1_000_000)

/** The host of `address:port`. */
export const hostOf = (listen: string): string => listen.slice(0, listen.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1')
export const portOf = (listen: string): number => Number(listen.slice(listen.lastIndexOf(':') + 1))

/** Programs reach this instance by HTTP, with keys. Their accounts are those of this network. */
export const httpSchema = z
  .strictObject({
    kind: z.literal('http'),
    listen: address('127.0.0.1:8642', 0).default('127.0.0.1:8642'),
    /** How programs elsewhere write its address; null: as it listens. */
    url: z
      .url({ protocol: /^https?$/, error: 'write a URL that begins with https://' })
      .nullable()
      .default(null),
    /** Files in PEM; read again when they change. */
    tls: z
      .strictObject({ certificate: z.string().min(1), key: z.string().min(1) })
      .nullable()
      .default(null),
    /** From where a proxy in front of it connects: it is believed whom it forwards for. */
    proxy: z.array(peer).default([]),
    /** Web pages of these origins may use it from a browser. */
    origins: z.array(origin).default([]),
    /** The largest request; chat completions, which may hold pictures, twenty times as much. */
    bodyBytes: z.int().min(1000).max(10_000_000).default(1_000_000),
    /** Requests of one key that says nothing else, and of one address that has none. */
    perMinute: perMinute.default(600),
    perAddressPerMinute: perMinute.default(120),
    /** Connections at once. */
    connections: z.int().min(1).max(100_000).default(2000),
  })
  .refine(({ listen, tls, proxy }) => isLoopbackHost(hostOf(listen)) || tls !== null || proxy.length > 0, {
    path: ['listen'],
    message:
      'keys would cross the network readable: listen on 127.0.0.1, or give tls: { certificate, key }, or name the proxy in front of it: proxy: [ADDRESS]',
  })
export type HttpConfig = z.output<typeof httpSchema>

/** The address that programs write before `/v1`. */
export function baseUrl({ url, listen, tls }: HttpConfig): string {
  if (url !== null) return url.replace(/\/+$/, '')
  const host = hostOf(listen)
  const shown = /^(0\.0\.0\.0|::)$/.test(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `${tls ? 'https' : 'http'}://${shown}:${portOf(listen)}`
}

/** What a request may take that brings a conversation, with pictures in it, or many texts. */
export const longBytes = ({ bodyBytes }: HttpConfig): number => bodyBytes * 20
