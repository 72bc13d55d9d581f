import { createHash } from 'node:crypto'
import OpenAI from 'openai'
import { fetchWithBody } from './body.ts'

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** One client for each address and key: a client for each call costs a connection each. */
export class Clients {
  readonly #clients = new Map<string, OpenAI>()

  /** `apiKey` null: a server that needs none. */
  of(baseURL: string, apiKey: string | null): OpenAI {
    const id = createHash('sha256')
      .update(JSON.stringify([baseURL, apiKey]))
      .digest('base64')
    let client = this.#clients.get(id)
    if (!client) this.#clients.set(id, (client = open(baseURL, apiKey)))
    return client
  }
}

/** Retries are ours: only we know budget, stop and what else may answer. What the environment says is for others. */
const open = (baseURL: string, apiKey: string | null): OpenAI =>
  new OpenAI({
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
