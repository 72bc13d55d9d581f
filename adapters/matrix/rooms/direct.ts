import { ChanopError } from '../../../core/error.ts'
import { faultOf, refusalOf } from '../link/faults.ts'
import { path, type Wire } from '../link/wire.ts'
import { string } from '../native.ts'
import { isUserId } from '../text/words.ts'
import type { Doors } from './doors.ts'
import type { Rooms } from './rooms.ts'

interface TalksOptions {
  readonly wire: Wire
  readonly rooms: Rooms
  readonly doors: Doors
  readonly me: string
}

const encrypts = (): ChanopError =>
  new ChanopError(
    'send-refused',
    'this homeserver encrypts the direct conversations that we open, which Chanop can not do: start one with us without encryption, or change its encryption_enabled_by_default_for_room_type and leave the one there is',
  )

/** Direct conversations: one room for each person, found again or made. */
export class DirectTalks {
  readonly #o: TalksOptions
  readonly #making = new Map<string, Promise<string>>()

  constructor(options: TalksOptions) {
    this.#o = options
  }

  /** The room. Rejects `not-found` when there is nobody of that id. */
  with(user: string): Promise<string> {
    const making = this.#making.get(user) ?? this.#open(user).finally(() => this.#making.delete(user))
    this.#making.set(user, making)
    return making
  }

  async #open(user: string): Promise<string> {
    if (!isUserId(user) || user === this.#o.me) throw new ChanopError('not-found', `there is nobody ${user} on Matrix`)
    const { wire, rooms } = this.#o
    let encrypted = false
    for (const id of rooms.directRooms(user)) {
      if (!(await this.#serves(id, user))) continue
      if (!rooms.get(id)?.encrypted) return id
      encrypted = true
    }
    // Another one would be as this one is, and one more each time.
    if (encrypted) throw encrypts()
    await wire.ask('GET', path`/profile/${user}`).catch((error: unknown) => {
      const refusal = refusalOf(error)
      if (refusal?.status === 404)
        throw new ChanopError('not-found', `there is nobody ${user} on Matrix`, { cause: error })
      // A homeserver need not tell who has an account.
      if (refusal?.status !== 403) throw faultOf(error)
    })
    const made = await wire
      .ask('POST', '/createRoom', { body: { preset: 'private_chat', is_direct: true, invite: [user] } })
      .catch((error: unknown) => Promise.reject(faultOf(error)))
    const id = string(made['room_id'])
    if (id === undefined) throw new ChanopError('network-down', 'the homeserver made no room')
    const room = rooms.enter(id)
    rooms.noteDirect(id, user)
    await this.#o.doors.saveDirect()
    if (!(await this.#isEncrypted(id))) return id
    room.encryptedBy = this.#o.me
    throw encrypts()
  }

  async #isEncrypted(id: string): Promise<boolean> {
    return this.#o.wire.ask('GET', path`/rooms/${id}/state/m.room.encryption`).then(
      () => true,
      // What can't be asked now /sync tells in a moment.
      () => false,
    )
  }

  /** A conversation that the other one left or encrypted, or that others are in, is none any more. */
  async #serves(id: string, user: string): Promise<boolean> {
    const room = this.#o.rooms.get(id)
    if (!room || (room.encrypted && room.encryptedBy !== this.#o.me) || room.size > 2 || this.#o.rooms.isWanted(id))
      return false
    if (room.members.has(user)) return true
    const state = await this.#o.wire
      .ask('GET', path`/rooms/${id}/state/m.room.member/${user}`)
      .catch((error: unknown) => {
        if (refusalOf(error)) return { membership: 'leave' }
        throw faultOf(error)
      })
    return state['membership'] === 'join' || state['membership'] === 'invite'
  }
}
