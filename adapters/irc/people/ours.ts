/** The nicks that all IRC networks of one instance use in this process, lower case. */
class OwnNicks {
  readonly #byOwner = new Map<object, readonly string[]>()
  #nicks = new Set<string>()

  set(owner: object, nicks: readonly string[]): void {
    this.#byOwner.set(owner, nicks)
    this.#gather()
  }

  /** It has ended, and is not held any longer. */
  forget(owner: object): void {
    this.#byOwner.delete(owner)
    this.#gather()
  }

  #gather(): void {
    this.#nicks = new Set([...this.#byOwner.values()].flat().map(nick => nick.toLowerCase()))
  }

  has(nick: string): boolean {
    return this.#nicks.has(nick)
  }
}

const byInstance = new Map<string, OwnNicks>()

/**
 * Two networks of the configuration may be one server by two addresses: each adapter must know the other's nicks to
 * see that a line is an echo of our own words.
 */
export function ownNicks(instance: string): OwnNicks {
  const known = byInstance.get(instance)
  if (known) return known
  const made = new OwnNicks()
  byInstance.set(instance, made)
  return made
}
