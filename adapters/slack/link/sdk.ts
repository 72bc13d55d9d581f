import type * as Bolt from '@slack/bolt'

export type Sdk = typeof Bolt

/** Where every `fetch` of the process, and undici before version 8, look for what carries their requests. */
const shared = Symbol.for('undici.globalDispatcher.1')

let loading: Promise<Sdk> | null = null

async function load(): Promise<Sdk> {
  // Node sets its own one when the first of these is touched.
  void new Headers()
  const before: unknown = Reflect.get(globalThis, shared)
  const bolt = await import('@slack/bolt')
  if (before !== undefined) Reflect.set(globalThis, shared, before)
  return bolt
}

/**
 * Slack's SDK, loaded once. Its undici 8 puts itself in the way of every other library's requests, which breaks
 * uploads of those that bring an undici of their own: what was there is put back.
 */
export const loadSdk = (): Promise<Sdk> => (loading ??= load())
