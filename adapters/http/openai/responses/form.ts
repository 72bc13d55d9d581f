import type { CompletionPart, Ending } from '../../../../core/ledger/oracle/completions.ts'
import type { Problem } from '../../problem.ts'
import type { Head } from '../chunks.ts'
import { openAiError } from '../errors.ts'
import type { Form } from '../form.ts'
import { type Loose, Passed } from '../passed.ts'
import { Items } from './items.ts'
import type { ResponsesBody } from './request.ts'

const usageOf = ({ inputTokens, outputTokens, cachedTokens }: Ending) => ({
  input_tokens: inputTokens,
  input_tokens_details: { cached_tokens: cachedTokens },
  output_tokens: outputTokens,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: inputTokens + outputTokens,
})

/** An answer as OpenAI's Responses API writes it: events with numbers, or one object. */
export class Responded implements Form {
  readonly opening: string
  readonly close = ''
  readonly #body: ResponsesBody
  readonly #id: string
  readonly #created: number
  #model: string
  #items: Items
  #passed = new Passed()
  #sequence = 0

  constructor({ id, created, model }: Head, body: ResponsesBody) {
    this.#body = body
    this.#id = id
    this.#created = created
    this.#model = model
    this.#items = new Items(id, event => this.#event(event))
    const response = this.#response('in_progress', null)
    this.opening = ['response.created', 'response.in_progress'].map(type => this.#event({ type, response })).join('')
  }

  #event(event: Loose & { readonly type: string }): string {
    const numbered = { ...event, sequence_number: this.#sequence++ }
    return `event: ${event.type}\ndata: ${JSON.stringify(numbered)}\n\n`
  }

  take(part: CompletionPart): string {
    if ('text' in part) return this.#items.text(part.text)
    if ('restart' in part) {
      this.#items = new Items(this.#id, event => this.#event(event))
      this.#passed = new Passed()
      return ''
    }
    this.#model = part.model
    return part.chunks.map(chunk => this.#chunk(chunk)).join('')
  }

  #chunk(chunk: unknown): string {
    const [choice] = (this.#passed.take(chunk)?.['choices'] ?? []) as { delta: Loose }[]
    const { content, tool_calls: calls, refusal } = choice?.delta ?? {}
    const words = [content, refusal].filter(text => typeof text === 'string' && text !== '')
    const said = words.map(text => this.#items.text(text as string))
    const called = Array.isArray(calls) ? calls.map(call => this.#items.call(call as Loose)) : []
    return [...said, ...called].join('')
  }

  last(ending: Ending): string {
    const closed = this.#items.end()
    const response = this.#ended(ending)
    return closed + this.#event({ type: `response.${String(response['status'])}`, response })
  }

  whole(ending: Ending): object {
    this.#items.end()
    return this.#ended(ending)
  }

  failed(problem: Problem): string {
    const { code, message, param } = openAiError(problem).error
    return this.#event({ type: 'error', code, message, param })
  }

  #ended(ending: Ending): Loose {
    const finish = this.#passed.finish ?? ending.finish
    const reason =
      finish === 'length' ? 'max_output_tokens' : /^(refusal|content_filter)$/.test(finish) ? 'content_filter' : null
    return this.#response(reason === null ? 'completed' : 'incomplete', ending, reason)
  }

  #response(status: string, ending: Ending | null, reason: string | null = null): Loose {
    const body = this.#body
    const asked = (name: string, otherwise: unknown): unknown => body[name] ?? otherwise
    return {
      id: this.#id,
      object: 'response',
      created_at: this.#created,
      status,
      background: false,
      error: null,
      incomplete_details: reason === null ? null : { reason },
      instructions: asked('instructions', null),
      max_output_tokens: asked('max_output_tokens', null),
      metadata: asked('metadata', {}),
      model: this.#model,
      output: this.#items.list,
      parallel_tool_calls: asked('parallel_tool_calls', true),
      previous_response_id: null,
      reasoning: { effort: body.reasoning?.effort ?? null, summary: null },
      store: false,
      temperature: asked('temperature', 1),
      text: { format: body.text?.format ?? { type: 'text' } },
      tool_choice: asked('tool_choice', 'auto'),
      tools: asked('tools', []),
      top_p: asked('top_p', 1),
      truncation: 'disabled',
      usage: ending && usageOf(ending),
      ...(ending ? { completed_at: Math.floor(Date.now() / 1000) } : {}),
    }
  }
}
