import { Recent } from '../../core/recent.ts'
import { nameOf, type User } from './native.ts'

const mostPeople = 20_000

/** Those whom this account met since it runs: Telegram tells nobody's user name or new name otherwise. */
export class People {
  readonly #names = new Recent<number, string>(mostPeople)
  readonly #ids = new Recent<string, number>(mostPeople)

  /** Notes somebody; gives their former name when they have another one now. */
  met(user: User): string | null {
    const name = nameOf(user)
    const before = this.#names.get(user.id)
    this.#names.set(user.id, name)
    if (user.username) this.#ids.set(user.username.toLowerCase(), user.id)
    return before !== undefined && before !== name ? before : null
  }

  idOf(username: string): number | undefined {
    return this.#ids.get(username.toLowerCase())
  }
}
