import type { Probe, ProbeContext } from '../../core/adapter.ts'
import type { ChannelId } from '../../core/event.ts'
import { pastedToken } from '../../core/vault/pasted.ts'
import { Api } from './api.ts'
import type { TelegramConfig } from './config.ts'
import { isUnknownToken } from './fault.ts'
import { isIn } from './in/events.ts'
import { lookAt } from './membership.ts'
import { titleOf, type User } from './native.ts'
import { refused } from './poll.ts'

/** Who we are and what is switched off. Asks for no updates: who runs with the same token would lose its turn. */
export async function probe(config: TelegramConfig, { secret, signal }: ProbeContext): Promise<Probe> {
  const api = new Api(pastedToken(await secret(config.token)), config.api)
  try {
    const self = await api.call<Self>('getMe', {}, { signal })
    const { url } = await api.call<{ url?: string }>('getWebhookInfo', {}, { signal })
    const chats = await Promise.all(config.channels.map(channel => look(api, channel, self, signal)))
    return {
      account: `@${self.username ?? self.id}`,
      server: 'Bot API',
      missing: [
        ...switches(self, url),
        ...chats.flatMap(({ trouble, name }) => (trouble ? [`${name}: ${trouble}`] : [])),
      ],
      channels: chats.map(({ channel, name, joined }) => ({ channel: channel as ChannelId, name, joined })),
    }
  } catch (thrown) {
    if (isUnknownToken(thrown)) throw refused()
    throw thrown
  } finally {
    api.close()
  }
}

interface Self extends User {
  readonly can_join_groups?: boolean
}

const switches = (self: Self, webhook: string | undefined): string[] => [
  ...(self.can_read_all_group_messages === false
    ? ['privacy mode is on, ordinary messages of groups are not heard: @BotFather → /setprivacy → Disable']
    : []),
  ...(self.can_join_groups === false ? ['it can not be added to groups: @BotFather → /setjoingroups → Enable'] : []),
  ...(webhook ? ['a webhook takes its updates: open <api>/bot<token>/deleteWebhook once'] : []),
]

interface Looked {
  readonly channel: string
  readonly name: string
  readonly joined: boolean
  readonly trouble: string | null
}

async function look(api: Api, channel: string, self: User, signal: AbortSignal): Promise<Looked> {
  const { chat, member, reason } = await lookAt(api, Number(channel), self, signal)
  return {
    channel,
    name: chat ? titleOf(chat) : channel,
    joined: member !== undefined && isIn(member),
    trouble: reason,
  }
}
