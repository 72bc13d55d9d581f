/** A service behind our models, as predictable as clients need it. */
import { setTimeout as wait } from 'node:timers/promises'
import {
  answer,
  begin,
  delta,
  finished,
  type Handler,
  refuse,
  send,
  usage,
} from '../../bots/oracle/models/testing-server.ts'

const tokens = 300

/** The words of a message, whatever form they have. */
function wordsOf(content: unknown): string {
  if (typeof content === 'string') return content
  const parts = Array.isArray(content) ? (content as { text?: string }[]) : []
  return parts.map(({ text }) => text ?? '').join(' ')
}

/** Says `token-N` until somebody hangs up. */
async function slowly(response: Parameters<Handler>[0]): Promise<void> {
  begin(response)
  for (let n = 0; n < tokens && !response.destroyed; n++) {
    send(response, delta(`token-${n} `))
    await wait(50)
  }
  for (const last of [finished(), usage(10, tokens), '[DONE]']) send(response, last)
  response.end()
}

function callTool(response: Parameters<Handler>[0]): void {
  const call = (more: object) => ({ choices: [{ index: 0, delta: { tool_calls: [more] }, finish_reason: null }] })
  const name = { index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } }
  begin(response)
  send(response, call(name))
  for (const piece of ['{"city":', ' "Oslo"}']) send(response, call({ index: 0, function: { arguments: piece } }))
  for (const last of [finished('tool_calls'), usage(20, 9), '[DONE]']) send(response, last)
  response.end()
}

/** What chat programs ask beside the talk: titles, tags, what could be said next, each as they want it. */
const background = '{"title": "A talk", "tags": ["talk"], "follow_ups": ["And then?"]}'

export const play: Handler = (response, { path, body }) => {
  if (path.endsWith('/embeddings')) {
    const numbers = Buffer.from(new Float32Array([0.5, -1]).buffer).toString('base64')
    const embedding = body['encoding_format'] === 'base64' ? numbers : [0.5, -1]
    const data = [body['input']].flat().map((_, index) => ({ object: 'embedding', index, embedding }))
    return refuse(response, 200, { object: 'list', data, usage: { prompt_tokens: 2, total_tokens: 2 } })
  }
  const last = (body['messages'] as { role: string; content: unknown }[]).at(-1)
  const words = wordsOf(last?.content)
  if (words.includes('### Task:')) return answer(response, [background])
  if (last?.role === 'tool') return answer(response, ['It is ', words])
  if (words.includes('weather') && body['tools'] !== undefined) return callTool(response)
  if (words.includes('slowly')) return slowly(response)
  return answer(response, ['Hello', ' there'])
}
