/**
 * Services that speak OpenAI's chat completions, as data: a new one is a row here and its section in docs/models.md.
 * What a server refuses besides (a 400 or 422 that names a parameter) is learned, see `bots/oracle/models/service/learned.ts`.
 */
export interface Provider {
  /** Up to and with `/v1` or its like. Null: `baseUrl` must be given. */
  readonly baseUrl: string | null
  /** The variable that usually holds its key. Null: it runs on one's own machine, needs no key and costs nothing. */
  readonly key: string | null
  /** What a limit of the answer's length is called. */
  readonly tokenLimit: 'max_tokens' | 'max_completion_tokens'
  /** `asked`: usage comes in streams only with `stream_options`. `given`: it comes anyway and the option is refused. */
  readonly usage: 'asked' | 'given'
  /** Where usage stands in a chunk. */
  readonly usageAt: 'usage' | 'x_groq.usage'
  /** The field of a delta that holds reasoning. Null: it has none, or keeps it to itself. */
  readonly reasoning: 'reasoning_content' | 'reasoning' | null
  /** Taken when a key is found and no model is configured: the first that the service offers. US dollars a million. */
  readonly suggested: readonly Suggestion[]
}

export interface Suggestion {
  readonly model: string
  readonly inputPerMillion: number
  readonly outputPerMillion: number
  readonly contextTokens: number
  readonly images: boolean
}

const plain = {
  tokenLimit: 'max_tokens',
  usage: 'asked',
  usageAt: 'usage',
  reasoning: null,
  suggested: [],
} as const

const hosted = (baseUrl: string, key: string, more: Partial<Provider> = {}): Provider => ({
  ...plain,
  baseUrl,
  key,
  ...more,
})

const local = (port: number, more: Partial<Provider> = {}): Provider => ({
  ...plain,
  baseUrl: `http://127.0.0.1:${port}/v1`,
  key: null,
  ...more,
})

const suggest = (
  model: string,
  inputPerMillion: number,
  outputPerMillion: number,
  contextTokens: number,
  images = false,
): Suggestion => ({ model, inputPerMillion, outputPerMillion, contextTokens, images })

export const providers = {
  openai: hosted('https://api.openai.com/v1', 'OPENAI_API_KEY', {
    tokenLimit: 'max_completion_tokens',
    suggested: [
      suggest('gpt-4.1-mini', 0.4, 1.6, 1_047_576, true),
      suggest('gpt-4o-mini', 0.15, 0.6, 128_000, true),
      suggest('gpt-5-mini', 0.25, 2, 400_000, true),
    ],
  }),
  anthropic: hosted('https://api.anthropic.com/v1', 'ANTHROPIC_API_KEY', {
    suggested: [suggest('claude-haiku-4-5', 1, 5, 200_000, true), suggest('claude-sonnet-4-5', 3, 15, 200_000, true)],
  }),
  gemini: hosted('https://generativelanguage.googleapis.com/v1beta/openai', 'GEMINI_API_KEY', {
    suggested: [
      suggest('gemini-2.5-flash', 0.3, 2.5, 1_048_576, true),
      suggest('gemini-2.5-flash-lite', 0.1, 0.4, 1_048_576, true),
    ],
  }),
  bedrock: hosted('https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1', 'AWS_BEARER_TOKEN_BEDROCK', {
    tokenLimit: 'max_completion_tokens',
    suggested: [suggest('openai.gpt-oss-120b-1:0', 0.15, 0.6, 128_000)],
  }),
  openrouter: hosted('https://openrouter.ai/api/v1', 'OPENROUTER_API_KEY', {
    reasoning: 'reasoning',
    suggested: [suggest('openai/gpt-4.1-mini', 0.4, 1.6, 1_047_576, true)],
  }),
  together: hosted('https://api.together.xyz/v1', 'TOGETHER_API_KEY', {
    reasoning: 'reasoning',
    suggested: [suggest('meta-llama/Llama-3.3-70B-Instruct-Turbo', 0.88, 0.88, 131_072)],
  }),
  groq: hosted('https://api.groq.com/openai/v1', 'GROQ_API_KEY', {
    tokenLimit: 'max_completion_tokens',
    usageAt: 'x_groq.usage',
    reasoning: 'reasoning',
    suggested: [suggest('llama-3.3-70b-versatile', 0.59, 0.79, 131_072)],
  }),
  fireworks: hosted('https://api.fireworks.ai/inference/v1', 'FIREWORKS_API_KEY', {
    reasoning: 'reasoning_content',
    suggested: [suggest('accounts/fireworks/models/llama-v3p3-70b-instruct', 0.9, 0.9, 131_072)],
  }),
  mistral: hosted('https://api.mistral.ai/v1', 'MISTRAL_API_KEY', {
    usage: 'given',
    suggested: [suggest('mistral-small-latest', 0.1, 0.3, 128_000, true)],
  }),
  deepseek: hosted('https://api.deepseek.com/v1', 'DEEPSEEK_API_KEY', {
    reasoning: 'reasoning_content',
    suggested: [suggest('deepseek-chat', 0.28, 0.42, 128_000)],
  }),
  xai: hosted('https://api.x.ai/v1', 'XAI_API_KEY', {
    reasoning: 'reasoning_content',
    suggested: [suggest('grok-4-fast-non-reasoning', 0.2, 0.5, 2_000_000, true)],
  }),
  cerebras: hosted('https://api.cerebras.ai/v1', 'CEREBRAS_API_KEY', {
    tokenLimit: 'max_completion_tokens',
    reasoning: 'reasoning',
    suggested: [suggest('gpt-oss-120b', 0.35, 0.75, 131_072)],
  }),
  huggingface: hosted('https://router.huggingface.co/v1', 'HF_TOKEN', { reasoning: 'reasoning_content' }),
  ai21: hosted('https://api.ai21.com/studio/v1', 'AI21_API_KEY', {
    usage: 'given',
    suggested: [suggest('jamba-mini', 0.2, 0.4, 256_000)],
  }),
  cohere: hosted('https://api.cohere.ai/compatibility/v1', 'COHERE_API_KEY', {
    suggested: [suggest('command-r7b-12-2024', 0.0375, 0.15, 128_000)],
  }),
  minimax: hosted('https://api.minimax.io/v1', 'MINIMAX_API_KEY', {
    reasoning: 'reasoning_content',
    suggested: [suggest('MiniMax-M2', 0.3, 1.2, 204_800)],
  }),
  ollama: local(11434, { reasoning: 'reasoning' }),
  litellm: local(4000, { reasoning: 'reasoning_content' }),
  lmstudio: local(1234, { reasoning: 'reasoning_content' }),
  vllm: local(8000, { reasoning: 'reasoning_content' }),
  localai: local(8080, { reasoning: 'reasoning' }),
  compatible: { ...plain, baseUrl: null, key: null, reasoning: 'reasoning_content' },
} as const satisfies Record<string, Provider>

export type ProviderName = keyof typeof providers

export const providerNames = Object.keys(providers) as [ProviderName, ...ProviderName[]]

export const providerOf = (name: ProviderName): Provider => providers[name]

/** On this machine: there a key is not needed and nothing is paid. */
export function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false
  return /^(localhost|127(?:\.\d+){3}|\[::1\]|0\.0\.0\.0)$/i.test(new URL(url).hostname)
}
