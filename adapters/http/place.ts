import type { ChannelId, MessageId, NetworkId, Place, Sender, UserId } from '../../core/event.ts'

/** The direct conversation of an account with our bots; `chat` is one of several of a user whom the account speaks for. */
export const ownPlace = (network: NetworkId, account: UserId, chat?: string): Place => ({
  network,
  channel: `@${account}${chat === undefined ? '' : `/${chat}`}` as ChannelId,
  private: true,
})

/** The key of a fact: the ids are made by the account, or for it, and are unique in its own conversation. */
export const factKey = (network: NetworkId, account: UserId, id: string): string => `${network}:${account}/${id}`

export const asMessageId = (id: string): MessageId => id as MessageId

export const senderOf = (account: UserId, name: string, kind: Sender['kind']): Sender => ({
  id: account,
  name,
  kind,
  verified: true,
})
