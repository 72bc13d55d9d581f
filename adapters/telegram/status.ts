import type { NetworkStatus } from '../../core/adapter.ts'
import type { NetworkState } from '../../core/process/network-state.ts'
import type { Chats } from './chats.ts'
import type { Member, User } from './native.ts'

/** Why a chat does not work, as our membership shows it; null when it does. */
export function troubleOf(
  { status, is_member, can_send_messages, can_post_messages }: Member,
  self: User,
): string | null {
  const name = `@${self.username ?? self.id}`
  if (status === 'left') return notIn(name)
  if (status === 'kicked') return putOut(name)
  if (status === 'restricted' && is_member === false) return notIn(name)
  if (status === 'restricted' && can_send_messages === false) return mayNotWrite(name)
  if (status === 'administrator' && can_post_messages === false)
    return `${name} may not post there: switch on "Post Messages" for it (channel → Administrators)`
  return null
}

const notIn = (name: string): string => `${name} is not in it: add it to the group`
const putOut = (name: string): string => `${name} was put out of it: let it in again`
const mayNotWrite = (name: string): string =>
  `${name} may not write there: an administrator has to allow it (group → Permissions → Exceptions)`

/** What Telegram says when a chat takes nothing from us, and what would help. */
const refusals: readonly (readonly [RegExp, (name: string) => string])[] = [
  [/was kicked/i, putOut],
  [/not a member|chat not found/i, notIn],
  [/not enough rights|have no rights|CHAT_WRITE_FORBIDDEN|CHAT_RESTRICTED/i, mayNotWrite],
  [/need administrator rights/i, name => `${name} may not post there: make it administrator with "Post Messages"`],
  [/deactivated|was deleted/i, () => 'the group was deleted: take it out of its room'],
]

/** Why a chat does not work that refused what was said. */
export function refusalOf(reason: string, self: User | null): string {
  const [, advice] = refusals.find(([pattern]) => pattern.test(reason)) ?? []
  return advice ? `${advice(`@${self?.username ?? self?.id ?? 'the bot'}`)} (${reason})` : reason
}

const privacy = (chats: string): string =>
  `privacy mode is on: ordinary messages are not heard in ${chats}. @BotFather → /setprivacy → Disable, then take the bot out of the group and add it again, or make it administrator`

function lacksOf(chats: Chats, self: User, hidden: number): string[] {
  const groups = chats.wanted.map(channel => chats.chatId(channel))
  const members = groups.filter(id => chats.member(id) && !chats.isAdministrator(id))
  const named = (ids: readonly number[]): string => ids.map(id => chats.known(id)?.title ?? String(id)).join(', ')
  const deaf = members.filter(id => chats.known(id)?.type !== 'channel')
  return [
    ...(self.can_read_all_group_messages === false && (deaf.length > 0 || groups.length === 0)
      ? [privacy(deaf.length > 0 ? named(deaf) : 'groups')]
      : []),
    ...(members.length > 0
      ? [
          `reactions, and joins in large groups, are told to administrators alone: make the bot administrator in ${named(members)}`,
        ]
      : []),
    'deletions of others are told to no bot: their copies elsewhere stay',
    'one reaction of ours on each message: the newest is shown',
    ...(hidden > 0 ? [`${hidden} commands are not in the list that Telegram shows: they work all the same`] : []),
    'one account: names of people elsewhere stand in bold before their words',
    'no history: what is said while we are away comes later for 24 hours, and is a gap after that',
    'files above 20 MB are not fetched, and above 50 MB not sent',
    'whether a message went out that got no answer can not always be told: it may come again, and says so',
  ]
}

export interface StatusParts {
  readonly self: User | null
  readonly chats: Chats
  /** Commands that are in no list. */
  readonly hidden: number
}

export function statusOf(now: NetworkState['now'], { self, chats, hidden }: StatusParts): NetworkStatus {
  const troubles = chats.oddities
  return {
    ...now,
    ...(self ? { server: `Bot API, @${self.username ?? self.id}` } : {}),
    ...(troubles.length === 0 ? {} : { troubles }),
    lacks: self ? lacksOf(chats, self, hidden) : [],
  }
}
