import type { APIMessage } from 'discord.js'
import { ChanopError } from '../../core/error.ts'
import type { Attachment } from '../../core/event.ts'
import { filesOf } from './inbound.ts'
import type { Api } from './wire/api.ts'

const cdnHosts = ['cdn.discordapp.com', 'media.discordapp.net']

const gone = (): ChanopError => new ChanopError('not-found', 'Discord does not have this file any more')

/** The bytes of a file: asked for by its message each time, since the addresses that Discord gives die. */
export async function open(
  api: Api,
  cdn: string,
  { ref }: Attachment,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const [, channel, message, file] = /^(\d{15,20})\/(\d{15,20})\/(\d{15,20})$/.exec(ref) ?? []
  if (channel === undefined || message === undefined || file === undefined) throw gone()
  const found = await api.get<APIMessage>(`/channels/${channel}/messages/${message}`, { signal })
  const url = filesOf(found).find(({ id }) => id === file)?.url
  if (url === undefined) throw gone()
  if (!isDiscords(url, cdn))
    throw new ChanopError('media-refused', 'the file is not where Discord keeps files; it is not fetched')
  return fetched(url, signal)
}

/** Nothing but Discord's own stores is asked: an address in a message is somebody's words. */
function isDiscords(url: string, cdn: string): boolean {
  const { host, protocol } = new URL(url)
  return (protocol === 'https:' && cdnHosts.includes(host)) || url.startsWith(`${cdn}/`)
}

async function fetched(url: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const response = await fetch(url, { signal, redirect: 'error' }).catch((error: unknown) => {
    throw new ChanopError('network-down', 'the file could not be fetched from Discord', { cause: error })
  })
  if (response.status === 404 || response.status === 403 || response.status === 410) throw gone()
  if (!response.ok || !response.body)
    throw new ChanopError('network-down', `the file store of Discord answers ${response.status}`)
  return response.body
}
