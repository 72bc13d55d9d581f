import type { Probe, ProbeContext } from '../../core/adapter.ts'
import type { ChannelId } from '../../core/event.ts'
import type { MemoryConfig } from './config.ts'
import { isPrivate } from './native.ts'
import { memoryServer } from './platform.ts'

/** What our account would find on its server; it is not connected for that. */
export async function probe({ account, server, token }: MemoryConfig, { secret }: ProbeContext): Promise<Probe> {
  const platform = memoryServer(server)
  platform.admits(account, token === null ? null : await secret(token))
  const seen = platform.channels.filter(({ name }) => !isPrivate(name))
  return {
    account,
    server: 'memory',
    missing: platform.switchesOff,
    channels: seen.map(({ name, members }) => ({ channel: name as ChannelId, name, joined: members.has(account) })),
  }
}
