/** A request of OpenAI's Responses API as one of chat completions: all that it needs has to be in it, nothing is kept. */
import { Problem } from '../../problem.ts'

type Loose = Readonly<Record<string, unknown>>

export interface ResponsesBody {
  readonly model: string
  readonly input: string | readonly Loose[]
  readonly instructions?: string | null
  readonly tools?: readonly Loose[] | null
  readonly tool_choice?: unknown
  readonly text?: { readonly format?: Loose; readonly verbosity?: string } | null
  readonly reasoning?: { readonly effort?: string | null } | null
  readonly max_output_tokens?: number | null
  readonly stream?: boolean | null
  readonly [name: string]: unknown
}

const wrong = (param: string, detail: string): Problem => new Problem(400, 'usage', `${param}: ${detail}`, { param })

/** What would need that earlier responses were kept, or that somebody else carried out tools. */
function refuseState(body: ResponsesBody): void {
  for (const name of ['previous_response_id', 'conversation', 'prompt'])
    if (body[name] !== undefined && body[name] !== null)
      throw wrong(name, 'nothing is kept here: send the whole conversation as input')
  if (body['background'] === true) throw wrong('background', 'answers are given at once or streamed')
}

/** Parts of a message; `input_text` and `output_text` are texts. */
function contentOf(content: unknown, at: string): unknown {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw wrong(at, 'write a text, or a list of input_text and input_image')
  return (content as (Loose | null)[]).map(given => {
    const part = given ?? {}
    if (part['type'] === 'refusal') return { type: 'text', text: part['refusal'] }
    if (typeof part['text'] === 'string') return { type: 'text', text: part['text'] }
    if (part['type'] !== 'input_image' || typeof part['image_url'] !== 'string')
      throw wrong(at, `${String(part['type']).slice(0, 40)} is not known here`)
    const detail = part['detail'] === undefined ? {} : { detail: part['detail'] }
    return { type: 'image_url', image_url: { url: part['image_url'], ...detail } }
  })
}

const callOf = ({ call_id: id, name, arguments: args }: Loose) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
})

const outputOf = (output: unknown, at: string): unknown => (typeof output === 'string' ? output : contentOf(output, at))

/** One item of the input as a message; null: of no use to a model. */
function messageOf(item: Loose, at: string): Loose | null {
  const { type = 'message', role } = item
  if (type === 'message') return { role, content: contentOf(item['content'], `${at}.content`) }
  if (type === 'function_call') return { role: 'assistant', content: null, tool_calls: [callOf(item)] }
  if (type === 'function_call_output')
    return { role: 'tool', tool_call_id: item['call_id'], content: outputOf(item['output'], `${at}.output`) }
  if (type === 'reasoning') return null
  throw wrong(at, `${String(type).slice(0, 40)} is not known here`)
}

/** Calls that were made at once are of one message. */
function joined(messages: readonly Loose[]): Loose[] {
  const all: Loose[] = []
  for (const message of messages) {
    const last = all.at(-1)
    const [before, calls] = [last?.['tool_calls'], message['tool_calls']]
    if (last && last['role'] === 'assistant' && Array.isArray(calls))
      all[all.length - 1] = { ...last, tool_calls: [...(Array.isArray(before) ? (before as Loose[]) : []), ...calls] }
    else all.push(message)
  }
  return all
}

function messagesOf({ input, instructions }: ResponsesBody): Loose[] {
  const system = instructions ? [{ role: 'system', content: instructions }] : []
  if (typeof input === 'string') return [...system, { role: 'user', content: input }]
  const items = input.map((item, at) => messageOf(item, `input[${at}]`)).filter(message => message !== null)
  return [...system, ...joined(items)]
}

function toolOf({ type, ...tool }: Loose, at: number): Loose {
  if (type !== 'function') throw wrong(`tools[${at}]`, `${String(type).slice(0, 40)} is not known here: only function`)
  const { name, description, parameters, strict } = tool
  const more = { description, parameters, strict }
  const given = Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined && value !== null))
  return { type, function: { name, ...given } }
}

function choiceOf(choice: unknown): unknown {
  if (typeof choice !== 'object' || choice === null) return choice
  const { type, name } = choice as Loose
  if (type !== 'function') throw wrong('tool_choice', 'write auto, none, required or a function')
  return { type, function: { name } }
}

function formatOf(format: Loose | undefined): Loose | undefined {
  const { type, ...schema } = format ?? { type: 'text' }
  if (type === 'text') return undefined
  return type === 'json_schema' ? { type, json_schema: schema } : { type }
}

/** What goes on as it is. */
const same = ['temperature', 'top_p', 'parallel_tool_calls', 'user', 'metadata', 'service_tier', 'prompt_cache_key']

/** The body of a chat completion. Throws a problem for what can't be said with one. */
export function chatBodyOf(body: ResponsesBody): Loose & { readonly messages: readonly Loose[] } {
  refuseState(body)
  const { tools, text, reasoning, max_output_tokens: limit } = body
  const rest: Loose = {
    tools: tools?.map(toolOf),
    tool_choice: choiceOf(body.tool_choice),
    response_format: formatOf(text?.format),
    verbosity: text?.verbosity,
    reasoning_effort: reasoning?.effort,
    max_completion_tokens: limit,
    ...Object.fromEntries(same.map(name => [name, body[name]])),
  }
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined && value !== null))
  return { ...given, messages: messagesOf(body) }
}
