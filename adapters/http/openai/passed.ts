/** Answers that are passed on: chunks of whichever service, as OpenAI's clients read them. */

export type Loose = Record<string, unknown>

const record = (value: unknown): Loose | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : null

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** Gives each call of a tool a place of its own: some services number them not at all, or all alike. */
class Calls {
  readonly #ids: string[] = []

  numbered(calls: readonly unknown[]): Loose[] {
    return calls.flatMap(given => {
      const call = record(given)
      return call ? [{ ...call, index: this.#place(call) }] : []
    })
  }

  #place({ id, index }: Loose): number {
    const given = typeof index === 'number' ? index : null
    if (typeof id !== 'string' || id === '') return given ?? Math.max(0, this.#ids.length - 1)
    const known = this.#ids.indexOf(id)
    if (known >= 0) return known
    const free = given !== null && this.#ids[given] === undefined ? given : this.#ids.length
    this.#ids[free] = id
    return free
  }

  get any(): boolean {
    return this.#ids.length > 0
  }
}

/** One answer as it comes in. */
export class Passed {
  #calls = new Calls()
  #message: Loose = {}
  #logprobs: unknown = null
  #begun = false
  /** What the service wrote of itself. */
  #about: Loose = {}
  finish: string | null = null
  /** The last chunk as it came: of embeddings, all there is. */
  whole: unknown = null

  /** What of a chunk is passed on; null: nothing. */
  take(raw: unknown): Loose | null {
    this.whole = raw
    const chunk = record(raw)
    const choice = record(listOf(chunk?.['choices'])[0])
    if (!chunk || !choice) return null
    for (const name of ['system_fingerprint', 'service_tier']) {
      if (chunk[name] !== undefined && chunk[name] !== null) this.#about[name] = chunk[name]
    }
    const delta = this.#delta(record(choice['delta']) ?? record(choice['message']) ?? {})
    this.finish = this.#finish(choice['finish_reason']) ?? this.finish
    this.#logprobs = merged(this.#logprobs, choice['logprobs'])
    this.#message = merged(this.#message, delta) as Loose
    return {
      ...this.#about,
      choices: [
        { index: 0, delta, logprobs: choice['logprobs'] ?? null, finish_reason: this.#finish(choice['finish_reason']) },
      ],
    }
  }

  #delta(given: Loose): Loose {
    const { tool_calls: calls, ...rest } = given
    // Clients wait for it; not every service sends it.
    const delta = this.#begun ? rest : { role: 'assistant', ...rest }
    this.#begun = true
    return Array.isArray(calls) && calls.length > 0 ? { ...delta, tool_calls: this.#calls.numbered(calls) } : delta
  }

  /** Some end with `stop` when they have called a tool. */
  #finish(written: unknown): string | null {
    if (typeof written !== 'string' || written === '') return null
    return written === 'stop' && this.#calls.any ? 'tool_calls' : written
  }

  /** All that came so far is void. */
  restart(): void {
    Object.assign(this, { finish: null, whole: null })
    this.#begun = false
    this.#calls = new Calls()
    this.#message = {}
    this.#logprobs = null
    this.#about = {}
  }

  /** The answer as it is read at once. */
  message(): Loose {
    const { tool_calls: calls, ...message } = this.#message
    const whole = {
      ...message,
      role: 'assistant',
      content: message['content'] ?? null,
      refusal: message['refusal'] ?? null,
    }
    const tools = listOf(calls).map(call => without(call, 'index'))
    return tools.length === 0 ? whole : { ...whole, tool_calls: tools }
  }

  get about(): Loose {
    return this.#about
  }

  get logprobs(): unknown {
    return this.#logprobs
  }
}

function without(value: unknown, name: string): Loose {
  const { [name]: _, ...rest } = record(value) ?? {}
  return rest
}

/** What names something comes once, though it is repeated; other texts go on. */
const names = new Set(['id', 'type', 'role', 'name'])

/** A value and what a later chunk adds to it. */
function merged(before: unknown, more: unknown, key = ''): unknown {
  if (more === null || more === undefined) return before
  if (before === null || before === undefined) return more
  if (typeof before === 'string' && typeof more === 'string') return names.has(key) ? before || more : before + more
  if (Array.isArray(before) && Array.isArray(more)) return mergedLists(before, more)
  const [a, b] = [record(before), record(more)]
  if (!a || !b) return more
  const whole: Loose = { ...a }
  for (const [name, value] of Object.entries(b)) whole[name] = merged(a[name], value, name)
  return whole
}

/** Those with a number are pieces of one with that number; others come after those before. */
function mergedLists(before: readonly unknown[], more: readonly unknown[]): unknown[] {
  const all = [...before]
  for (const item of more) {
    const index = record(item)?.['index']
    const at = typeof index === 'number' ? all.findIndex(known => record(known)?.['index'] === index) : -1
    if (at < 0) all.push(item)
    else all[at] = merged(all[at], item)
  }
  return all
}
