import type { ChatEvent, MessageEvent, MessageId, Place } from '../../../core/event.ts'
import { Recent } from '../../../core/recent.ts'
import { type Native, str } from '../native.ts'
import { type People, type Person, senderOf } from '../people.ts'
import { fromMrkdwn } from '../text/mrkdwn.ts'

/** Slack takes five answers in half an hour. */
const answerMs = 25 * 60_000
const mostAnswers = 5
const mostKept = 500

/** What follows the slash: of our own command its words, of any other its name too. */
export function lineOf(payload: Native, own: string): string {
  const command = str(payload, 'command')
  const words = str(payload, 'text').trim()
  if (command !== own) return `${command} ${words}`.trim()
  return `/${words === '' ? 'help' : words.replace(/^[/!]/, '')}`
}

export interface Slash {
  readonly network: string
  readonly command: string
  readonly people: People
  /** Who said it. */
  readonly person: Person
  readonly teams: ReadonlySet<string>
}

/** A slash command as the message that says the same. It has no time of its own: `atMs` is when it came. */
export async function slashEvent(
  payload: Native,
  place: Place,
  { network, command, people, person, teams }: Slash,
): Promise<ChatEvent[]> {
  const trigger = str(payload, 'trigger_id')
  const user = str(payload, 'user_id')
  if (trigger === '' || user === '') return []
  const sender = await senderOf({ user }, { get: async () => person }, teams)
  const names = {
    person: (id: string) => people.peek(id)?.name ?? id,
    channel: (id: string) => id,
    isSelf: () => false,
  }
  const event: MessageEvent = {
    kind: 'message',
    key: `${network}:slash/${trigger}`,
    id: `slash-${trigger}` as MessageId,
    place,
    sender: { ...sender, name: sender.name === user ? str(payload, 'user_name') || user : sender.name },
    atMs: Date.now(),
    origin: 'live',
    unlisted: true,
    content: { segments: fromMrkdwn(lineOf(payload, command), names) },
  }
  return [event]
}

interface Answer {
  readonly url: string
  readonly untilMs: number
  left: number
}

/** Where those who used a slash command can be answered for a while although the bot is not in the channel. */
export class Answers {
  readonly #known = new Recent<string, Answer>(mostKept)
  readonly #api: URL

  constructor(api: string) {
    this.#api = new URL(api)
  }

  note(payload: Native): void {
    const url = str(payload, 'response_url')
    if (!URL.canParse(url) || !this.#isSlack(new URL(url))) return
    const key = `${str(payload, 'channel_id')} ${str(payload, 'user_id')}`
    this.#known.set(key, { url, untilMs: Date.now() + answerMs, left: mostAnswers })
  }

  #isSlack({ protocol, hostname, origin }: URL): boolean {
    return origin === this.#api.origin || (protocol === 'https:' && hostname === 'hooks.slack.com')
  }

  /** Answers there; false when there is no such way, or not any more. Never rejects. */
  async say(channel: string, user: string, post: Native, signal: AbortSignal): Promise<boolean> {
    const answer = this.#known.get(`${channel} ${user}`)
    if (!answer || answer.left === 0 || answer.untilMs < Date.now()) return false
    answer.left--
    const response = await fetch(answer.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ response_type: 'ephemeral', ...post }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(5000)]),
    }).catch(() => null)
    await response?.body?.cancel()
    return response?.ok === true
  }
}
