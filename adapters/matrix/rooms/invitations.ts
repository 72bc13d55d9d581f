import type { MatrixConfig } from '../config.ts'
import { path, type Wire } from '../link/wire.ts'
import { type StrippedEvent, string } from '../native.ts'
import { hostOf } from '../text/words.ts'
import type { Rooms } from './rooms.ts'

export interface InvitationsOptions {
  readonly wire: Wire
  readonly rooms: Rooms
  readonly config: Pick<MatrixConfig, 'invites' | 'direct'>
  readonly me: string
}

export interface Judged {
  readonly accept: boolean
  readonly direct: boolean
  readonly by: string
  /** Why it is not followed, and what would change that. */
  readonly reason: string
}

export class Invitations {
  readonly #o: InvitationsOptions
  /** Rooms that replace one of ours. */
  readonly #expected = new Map<string, string>()

  constructor(options: InvitationsOptions) {
    this.#o = options
  }

  expect(successor: string, of: string): void {
    this.#expected.set(successor, of)
  }

  /** The room that it replaces, when it is expected. */
  replaces(id: string): string | undefined {
    return this.#expected.get(id)
  }

  async judge(id: string, state: readonly StrippedEvent[]): Promise<Judged> {
    const mine = state.find(({ type, state_key: key }) => type === 'm.room.member' && key === this.#o.me)
    const by = mine?.sender ?? 'somebody'
    const direct = mine?.content['is_direct'] === true
    const encrypted = state.some(({ type }) => type === 'm.room.encryption')
    const judged = (accept: boolean, reason = ''): Judged => ({ accept, direct, by, reason })
    if ((await this.#isWanted(id, state)) || this.#isNamed(by)) return judged(true)
    if (!direct) return judged(false, `${by} invites us: add ${by} to invites, or the room to channels`)
    if (!this.#o.config.direct || !this.#isNear(by))
      return judged(false, `${by} wants to talk to us directly: add ${by} to invites to allow it`)
    return judged(true, encrypted ? 'encrypted' : '')
  }

  async #isWanted(id: string, state: readonly StrippedEvent[]): Promise<boolean> {
    const { rooms } = this.#o
    if (rooms.isWanted(id) || this.#expected.has(id)) return true
    // An invitation may claim any alias: the directory says which room has it.
    const claimed = string(state.find(({ type }) => type === 'm.room.canonical_alias')?.content['alias'])
    if (claimed === undefined || !rooms.wanted.has(claimed)) return false
    const answer = await this.#o.wire.ask('GET', path`/directory/room/${claimed}`).catch(() => ({ room_id: null }))
    if (answer['room_id'] !== id) return false
    rooms.bind(claimed, id)
    return true
  }

  #isNamed(user: string): boolean {
    return this.#o.config.invites.some(named => named === user || named === hostOf(user))
  }

  /** On our server, or in a room with us. */
  #isNear(user: string): boolean {
    if (hostOf(user) === hostOf(this.#o.me)) return true
    return [...this.#o.rooms.all].some(room => room.members.has(user))
  }
}
