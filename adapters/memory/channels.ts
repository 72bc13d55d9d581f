import type { Channels } from '../../core/adapter.ts'
import type { Place, UserId } from '../../core/event.ts'
import type { Author } from './native.ts'
import type { MemoryPlatform } from './platform.ts'

/** What the acts need of the adapter that does them. */
export interface Hand {
  readonly platform: MemoryPlatform
  readonly author: () => Author
  /** Has the server do something; rejects as every act of the adapter. */
  readonly act: <T>(serve: () => T) => Promise<T>
}

/** Sets plain switches as a server does: `-i+m` takes one away and adds one. What has an argument is not known here. */
function change(channel: { modes: string }, modes: string): void {
  const set = new Set(channel.modes.replace(/^\+/, ''))
  let sign = '+'
  for (const letter of modes.split(' ')[0] ?? '') {
    if (letter === '+' || letter === '-') sign = letter
    else if (sign === '+') set.add(letter)
    else set.delete(letter)
  }
  channel.modes = set.size === 0 ? '' : `+${[...set].sort().join('')}`
}

/** Acts on the channels of a memory server. */
export class MemoryChannels implements Required<Channels> {
  readonly #hand: Hand

  constructor(hand: Hand) {
    this.#hand = hand
  }

  async join({ channel }: Place): Promise<void> {
    const { platform, author, act } = this.#hand
    await act(() => platform.enter(author(), channel))
  }

  async part({ channel }: Place, reason: string): Promise<void> {
    const { platform, author, act } = this.#hand
    await act(() => platform.exit(author(), channel, reason))
  }

  async mode({ channel }: Place, modes: string): Promise<void> {
    const { platform, act } = this.#hand
    await act(() => change(platform.channel(channel), modes))
  }

  async kick({ channel }: Place, user: UserId, reason: string): Promise<void> {
    const { platform, act } = this.#hand
    await act(() => platform.putOut(user, channel, reason))
  }

  async bring({ channel }: Place, users: readonly UserId[]): Promise<number> {
    const { platform, act } = this.#hand
    return act(() => users.filter(user => platform.bring(user, channel)).length)
  }

  async keep({ channel }: Place, { modes, topic }: { modes: string; topic: string }): Promise<void> {
    const { platform, author, act } = this.#hand
    await act(() => {
      const kept = platform.channel(channel)
      platform.enter(author(), channel)
      kept.kept = true
      change(kept, modes)
      if (topic && kept.topic !== topic) platform.setTopic(author(), channel, topic)
    })
  }

  async admit(place: Place, accounts: readonly UserId[] | null): Promise<void> {
    const { platform, act } = this.#hand
    await act(() => {
      const channel = platform.channel(place.channel)
      channel.admitted = accounts && new Set<string>(accounts)
      for (const id of accounts ? channel.members.keys() : []) {
        if (!channel.admitted?.has(id)) platform.putOut(id, place.channel, 'this room is closed')
      }
    })
  }

  async release({ channel }: Place, reason: string): Promise<void> {
    const { platform, author, act } = this.#hand
    await act(() => {
      const left = platform.channel(channel)
      left.kept = false
      for (const id of left.members.keys()) platform.putOut(id, channel, reason)
      platform.exit(author(), channel, reason)
    })
  }
}
