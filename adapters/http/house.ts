import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import type { Scope } from '../../core/access/api-keys.ts'
import type { Sink } from '../../core/adapter.ts'
import type { NetworkId, Sign } from '../../core/event.ts'
import type { Log } from '../../core/log.ts'
import type { Interior } from '../../core/process/interior.ts'
import type { Asks } from './asks.ts'
import type { HttpConfig } from './config.ts'
import type { Holder } from './door/access.ts'
import type { Rights } from './door/rights.ts'
import type { Metrics } from './metrics.ts'
import type { Hub } from './stream/hub.ts'
import type { Waiting } from './waiting.ts'

/** What routes work with. */
export interface House {
  readonly network: NetworkId
  readonly config: HttpConfig
  readonly interior: Interior
  readonly log: Log
  /** Who is refused leaves word in the audit. */
  readonly refused: (request: FastifyRequest, why: string) => void
  /** Somebody shows a sign of life. */
  readonly signs?: (signs: readonly Sign[]) => Promise<void>
  /** Takes in what was said and asked. */
  readonly sink: Sink
  readonly asks: Asks
  readonly waiting: Waiting
  /** What keys may see now. */
  readonly rights: Rights
  /** Open streams. */
  readonly hub: Hub
  readonly startedMs: number
  readonly metrics: Metrics
  /** All routes, as they were registered. */
  readonly described: RouteOptions[]
  /** Aborts when the server closes: streams end. */
  readonly closing: AbortSignal
}

/** One concern's routes. Each route says in its `config` which scope a key needs, or that it is open to everybody. */
export type Routes = (app: FastifyInstance, house: House) => void

declare module 'fastify' {
  interface FastifySchema {
    summary?: string
    tags?: readonly string[]
  }
  interface FastifyContextConfig {
    /** What a key must be for, or for one of these; `any`: every key. */
    scope?: Scope | readonly Scope[] | 'any'
    /** Is not in the description of the API by itself. */
    hidden?: true
    /** Needs no key; who asks for what is told to few is a stranger only where this says so. */
    open?: true | ((request: FastifyRequest) => boolean)
  }
  interface FastifyRequest {
    /** Who asks; null on open routes. */
    holder: Holder | null
  }
}
