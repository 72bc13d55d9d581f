import { createHash } from 'node:crypto'
import type * as Openai from 'openai'
import type OpenAI from 'openai'
import { fetchWithBody } from './body.ts'

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** One client for each address and key: a client for each call costs a connection each. */
export class Clients {
  readonly #clients = new Map<string, OpenAI>()

  /** `apiKey` null: a server that needs none. */
  async of(baseURL: string, apiKey: string | null): Promise<OpenAI> {
    const sdk = await loadSdk()
    const id = createHash('sha256')
      .update(JSON.stringify([baseURL, apiKey]))
      .digest('base64')
    let client = this.#clients.get(id)
    if (!client) this.#clients.set(id, (client = open(sdk, baseURL, apiKey)))
    return client
  }
}

/** Retries are ours: only we know budget, stop and what else may answer. What the environment says is for others. */
const open = (sdk: Sdk, baseURL: string, apiKey: string | null): OpenAI =>
  new sdk.OpenAI({
    baseURL,
    apiKey: apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    logger: silent,
    logLevel: 'off',
    fetch: fetchWithBody,
  })

export type Sdk = typeof Openai

let sdk: Sdk | null = null

/** OpenAI's package, 236 files and 32 MB: only a process that asks a model loads it. */
export async function loadSdk(): Promise<Sdk> {
  sdk ??= await import('openai')
  return sdk
}

/** Null: nothing was asked yet, so that nothing that was thrown is of it. */
export const loadedSdk = (): Sdk | null => sdk
