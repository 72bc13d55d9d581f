import type { Log } from '../../../core/log.ts'
import { isRecord } from '../../../core/loose.ts'
import { sleep } from '../../../core/retry.ts'
import { type Native, part, str } from '../native.ts'
import { limitOf, quietLogger, withWait } from './api.ts'
import { Fault } from './fault.ts'
import type { Sdk } from './sdk.ts'

const helloMs = 15_000
/** Pings go out every third of it; who does not answer within it is gone. */
const clientPingMs = 9_000
const serverPingMs = 45_000
const handshakeMs = 500

export interface Envelope {
  readonly type: string
  readonly payload: Native
  /** Tells Slack that we have it. It is sent again when the connection ends before that. */
  acknowledge(): void
}

export interface SocketOptions {
  readonly sdk: Sdk
  readonly url: string
  readonly appToken: string
  readonly log: Log
  readonly signal: AbortSignal
  readonly receive: (envelope: Envelope) => void
}

/** A connection after its hello. */
export interface Session {
  /** Resolves with why it is over, or soon will be. */
  readonly leaving: Promise<'refresh' | 'link_disabled' | 'closed'>
  /** Resolves once nothing of it is open. */
  close(): Promise<void>
}

/**
 * Opens one connection and resolves at its hello; rejects with a `Fault`. Slack's client carries it (opening, pings); what
 * comes over it is read here: theirs acknowledges nothing by itself but dies of an envelope that it does not expect.
 */
export async function openSession(options: SocketOptions): Promise<Session> {
  const client = clientOf(options)
  const { promise: hello, resolve: greeted } = Promise.withResolvers<'hello'>()
  const { promise: leaving, resolve: leave } = Promise.withResolvers<'refresh' | 'link_disabled' | 'closed'>()
  const { promise: gone, resolve: end } = Promise.withResolvers<void>()
  client.on('disconnected', () => {
    leave('closed')
    end()
  })
  client.removeAllListeners('ws_message')
  client.on('ws_message', (data: unknown, isBinary: unknown) => {
    const message = isBinary === true ? null : read(data)
    if (!message) return
    if (message['type'] === 'hello') greeted('hello')
    else if (message['type'] === 'disconnect')
      leave(str(message, 'reason') === 'link_disabled' ? 'link_disabled' : 'refresh')
    else if (str(message, 'envelope_id') !== '') options.receive(envelopeOf(client, message))
  })
  const close = async (): Promise<void> => {
    client.disconnect().catch(() => undefined)
    // Theirs forgets this timer when the connection breaks while it is being closed: half a minute in which no process ends.
    const forgotten: unknown = client.websocket && Reflect.get(client.websocket, 'closeHandshakeTimeout')
    await Promise.race([gone, sleep(handshakeMs)])
    clearTimeout(forgotten as NodeJS.Timeout | undefined)
    // The second call does not wait for the other side to say goodbye.
    await client.disconnect()
  }
  const failed = client.start().then(
    () => new Promise<never>(() => undefined),
    (error: unknown) => Promise.reject(faultOf(options.sdk, error)),
  )
  failed.catch(() => undefined)
  try {
    await Promise.race([hello, failed, late(options.signal)])
  } catch (error) {
    if (client.websocket) await close()
    throw error
  }
  return { leaving, close }
}

type Client = InstanceType<Sdk['SocketModeReceiver']>['client']

function clientOf({ sdk, url, appToken, log }: SocketOptions): Client {
  const logger = quietLogger(sdk, log)
  const { client } = new sdk.SocketModeReceiver({
    appToken,
    logger,
    autoReconnectEnabled: false,
    clientPingTimeout: clientPingMs,
    serverPingTimeout: serverPingMs,
    installerOptions: {
      clientOptions: {
        slackApiUrl: url,
        fetch: async (address, init) => withWait(await fetch(address, init)),
        retryConfig: { retries: 0 },
        rejectRateLimitedCalls: true,
        timeout: helloMs,
      },
    },
  })
  return client
}

function read(data: unknown): Native | null {
  try {
    const message: unknown = JSON.parse(String(data))
    return isRecord(message) ? message : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function envelopeOf(client: Client, message: Native): Envelope {
  const id = str(message, 'envelope_id')
  return {
    type: str(message, 'type'),
    payload: part(message, 'payload'),
    acknowledge: () => {
      if (client.websocket?.isActive()) client.websocket.send(JSON.stringify({ envelope_id: id }), () => undefined)
    },
  }
}

const late = (signal: AbortSignal): Promise<never> =>
  sleep(helloMs, signal).then(() => {
    throw new Fault('unknown', 'apps.connections.open', { code: 'no hello' })
  })

function faultOf({ webApi }: Sdk, error: unknown): Fault {
  const method = 'apps.connections.open'
  if (error instanceof webApi.WebAPIRateLimitedError) return limitOf(method, error)
  if (error instanceof webApi.WebAPIPlatformError) {
    const needed = str({ ...error.data }, 'needed') || 'connections:write'
    return new Fault('refused', method, { code: error.data.error, needed })
  }
  return new Fault('unknown', method)
}
