import type * as Openai from 'openai'

export type Sdk = typeof Openai

let sdk: Sdk | null = null

/** OpenAI's package, 236 files and 32 MB: only a process that asks a model loads it. */
export async function loadSdk(): Promise<Sdk> {
  sdk ??= await import('openai')
  return sdk
}

/** Null: nothing was asked yet, so that nothing that was thrown is of it. */
export const loadedSdk = (): Sdk | null => sdk
