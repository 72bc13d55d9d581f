import type { Config } from '../../../config/schema.ts'
import {
  type Conversation,
  type ConversationContent,
  conversationSchema,
  picturesOf,
  wordsOf,
} from '../../../core/conversation.ts'
import { ChanopError } from '../../../core/error.ts'
import { given } from '../../../core/given.ts'
import type { Completion } from '../../../core/ledger/oracle/completions.ts'
import {
  type ModelContent,
  type ModelLimits,
  type ModelMessage,
  type ModelRequest,
  type Models,
  wordsOf as textIn,
} from '../models/contract.ts'

const most = 400

/** The conversation that a program brought. */
export const broughtBy = ({ body }: Pick<Completion, 'body'>): Conversation =>
  conversationSchema.parse(JSON.parse(body))

const rules = `How this works:
- A program asks you for somebody. What it says of you and of the task stands below, after the words about who you are; where both speak of the same, its words are what
  the asker wants now.
- Answer in Markdown. Be as brief as the task allows.`

function contentOf(given: ConversationContent, images: boolean): ModelMessage['content'] {
  const text = wordsOf(given)
  const pictures = images ? picturesOf(given) : []
  if (pictures.length === 0) return text
  const parts: ModelContent[] = pictures.map(url => ({ kind: 'image', url, text: '(a picture)' }))
  return [...parts, { kind: 'text', text }]
}

/** Of what tools said and of roles that models here do not have, words are made. */
function messageOf({ role, content }: Conversation['messages'][number], images: boolean): ModelMessage {
  if (role === 'assistant') return { role, content: wordsOf(content) }
  if (role === 'user') return { role, content: contentOf(content, images) }
  return { role: 'user', content: `(${role}) ${wordsOf(content)}` }
}

const isSystem = ({ role }: Conversation['messages'][number]): boolean => role === 'system' || role === 'developer'

/** What the model is asked: who it is, what the program says of the task, and its conversation, as much as the model can take. */
export async function requestFor(
  { models, config, mind }: { models: Models; config: () => Config; mind: string | null },
  completion: Pick<Completion, 'body' | 'room' | 'person'>,
  turn: number | null,
): Promise<ModelRequest> {
  const task = turn === null ? 'summary' : 'answer'
  const limits = models.limits(task, completion.room)
  if (!limits)
    throw new ChanopError('model-missing', `no model is on: ${config().commands.prefix}model list shows them`)
  const { messages, maxOutputTokens } = broughtBy(completion)
  const theirs = messages.filter(isSystem).map(({ content }) => wordsOf(content))
  const system = [...(mind === null ? [] : [mind, rules]), ...theirs].filter(text => text !== '').join('\n\n')
  const talk = messages.filter(message => !isSystem(message)).map(message => messageOf(message, limits.images))
  const room = await fitting(models, limits, system, talk)
  return {
    messages: [...(system === '' ? [] : [{ role: 'system' as const, content: system }]), ...room],
    task,
    room: completion.room,
    person: completion.person,
    turn,
    previews: false,
    ...given({ maxOutputTokens }),
  }
}

/** The newest messages that the model can take. Throws `usage` when the last one alone is too long. */
async function fitting(
  models: Models,
  limits: ModelLimits,
  system: string,
  talk: readonly ModelMessage[],
): Promise<ModelMessage[]> {
  let left = Math.floor((limits.contextTokens - limits.maxOutputTokens) * 0.95)
  left -= Math.ceil((await models.countTokens(system)) * limits.tokenFactor)
  const taken: ModelMessage[] = []
  for (const message of talk.slice(-most).reverse()) {
    left -= Math.ceil((await models.countTokens(textIn(message.content))) * limits.tokenFactor) + 8
    if (left < 0 && taken.length > 0) break
    if (left < 0)
      throw new ChanopError('usage', `this is longer than the model can take (${limits.contextTokens} tokens)`)
    taken.unshift(message)
  }
  if (taken.length === 0) throw new ChanopError('usage', 'there is no message to answer')
  return taken
}
