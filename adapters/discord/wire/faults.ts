import { RESTJSONErrorCodes as errors } from 'discord.js'
import { ChanopError } from '../../../core/error.ts'

/** What a refused request was told, without its address: that may hold a webhook's token. */
export interface Refusal {
  readonly status: number
  readonly code: number | null
  readonly message: string
  /** The paths of `errors` in the body, flattened: `content: Must be 2000 or fewer in length.` */
  readonly details: readonly string[]
}

/** A request that Discord refused. `refusal` is for those who go on another way; everyone else reads the message. */
export class Refused extends ChanopError {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(codeOf(refusal), told(refusal))
    this.refusal = refusal
  }
}

/** An answer that is none of Discord's API: of what stands before it, or of Discord in trouble. */
export class Broken extends ChanopError {}

export const isRefused = (error: unknown, ...codes: readonly number[]): error is Refused =>
  error instanceof Refused && error.refusal.code !== null && codes.includes(error.refusal.code)

/** What to do about the refusals that somebody can do something about. */
const advice: Readonly<Record<number, string>> = {
  10003: 'there is no such channel any more, or the bot was put out of its server: invite it again',
  10014: 'the bot does not know this emoji',
  30007: 'this channel has as many webhooks as it can: delete one under Integrations',
  30010: 'this message has as many reactions as it can',
  40001: 'the token is refused: set a new one (Bot, Reset Token)',
  40005: 'the file is too large for this server',
  50001: 'the bot does not see this channel: give it View Channel there',
  50006: 'there is nothing in it that Discord would show',
  50007: 'they take no direct messages from this bot',
  50013: 'the bot lacks a permission here: !network show names it',
  50027: 'the webhook is gone',
  90001: 'they have blocked the bot, so it can not react to them',
  160005: 'the thread is locked',
  200000: 'AutoMod of the server refuses this text',
  200001: 'AutoMod of the server refuses this text',
}

const gone: readonly number[] = [
  errors.UnknownChannel,
  errors.UnknownMessage,
  errors.UnknownWebhook,
  errors.InvalidWebhookToken,
]

/** Our own token is refused, and not the one in the address of a webhook or an interaction. */
const isOurToken = ({ status, code }: Refusal): boolean => status === 401 && code !== errors.InvalidWebhookToken

function codeOf(refusal: Refusal): 'network-refused' | 'not-found' | 'send-refused' {
  const { status, code } = refusal
  if (isOurToken(refusal)) return 'network-refused'
  return status === 404 || (code !== null && gone.includes(code)) ? 'not-found' : 'send-refused'
}

function told(refusal: Refusal): string {
  const { status, code, message, details } = refusal
  if (isOurToken(refusal)) return 'Discord refuses the token: set a new one (Bot, Reset Token in the developer portal)'
  const why = code === null ? undefined : advice[code]
  const said = [message, ...details].filter(part => part !== '').join('; ')
  const shown = said.replace(/\s+/g, ' ').slice(0, 300)
  return why === undefined ? `Discord refused it: ${shown} (${code ?? status})` : `${why} (${code})`
}

/** The leaves of the `errors` object of a refusal (docs.discord.com/developers/reference#error-messages). */
export function flatten(node: unknown, path = ''): string[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]) => {
    if (key !== '_errors') return flatten(value, path === '' ? key : `${path}.${key}`)
    const faults = Array.isArray(value) ? value : []
    return faults.map(
      (fault: { message?: unknown }) => `${path}: ${typeof fault.message === 'string' ? fault.message : 'wrong'}`,
    )
  })
}

const close: Readonly<Record<number, string>> = {
  4004: 'Discord refuses the token: set a new one (developer portal, Bot, Reset Token)',
  4010: 'Discord refuses the shard',
  4011: 'the bot is in so many servers that Discord wants shards',
  4012: 'Discord does not speak this version of its gateway any more: update Chanop',
  4013: 'Discord does not know one of the intents: update Chanop',
}

/** Why the gateway will never take us as we are; null when it may, later. */
export const fatalClose = (code: number): string | null => close[code] ?? null

export const disallowedIntents = 4014
