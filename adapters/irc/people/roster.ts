import { type Line, lastParam } from '../text/line.ts'
import type { Fold } from '../text/names.ts'

/** Who is in our channels and which account each nick was last seen with. Kept by the main connection. */
export class Roster {
  #fold: Fold
  /** channel → folded nick → nick. */
  readonly #channels = new Map<string, Map<string, string>>()
  /** folded nick → account. */
  readonly #accounts = new Map<string, string>()
  /** account → nick that was last seen with it. */
  readonly #nicks = new Map<string, string>()

  constructor(fold: Fold) {
    this.#fold = fold
  }

  /** The channels (folded) a nick is in. */
  channelsOf(nick: string): string[] {
    const key = this.#fold(nick)
    return [...this.#channels].filter(([, members]) => members.has(key)).map(([channel]) => channel)
  }

  accountOf(nick: string): string | null {
    return this.#accounts.get(this.#fold(nick)) ?? null
  }

  /** The nick somebody with this account (lower case) was last seen under, null when they may have gone. */
  nickOf(account: string): string | null {
    return this.#nicks.get(account) ?? null
  }

  saw(nick: string, account: string): void {
    const key = this.#fold(nick)
    const lower = account.toLowerCase()
    if (this.#accounts.get(key) !== lower) this.#accounts.set(key, lower)
    if (this.#nicks.get(lower) !== nick) this.#nicks.set(lower, nick)
  }

  #forget(nick: string): void {
    const key = this.#fold(nick)
    const account = this.#accounts.get(key)
    this.#accounts.delete(key)
    if (account !== undefined && this.#fold(this.#nicks.get(account) ?? '') === key) this.#nicks.delete(account)
  }

  /** Takes note of a line after its events were made: a QUIT still needs the channels. `self`: our own nick. */
  follow(line: Line, self: string): void {
    const [channel = '', second = ''] = line.params
    const isSelf = (nick: string): boolean => this.#fold(nick) === this.#fold(self)
    const account = line.tags['account']
    if (account !== undefined && account !== '') this.saw(line.nick, account)
    switch (line.command) {
      case 'JOIN':
        // Who went while we were out is not known.
        if (isSelf(line.nick)) this.#channels.delete(this.#fold(channel))
        this.#members(channel).set(this.#fold(line.nick), line.nick)
        if (second !== '' && second !== '*') this.saw(line.nick, second)
        break
      case 'PART':
        this.#left(channel, line.nick, isSelf(line.nick))
        break
      case 'KICK':
        this.#left(channel, second, isSelf(second))
        break
      case 'QUIT':
        for (const members of this.#channels.values()) members.delete(this.#fold(line.nick))
        this.#forget(line.nick)
        break
      case 'NICK':
        this.#rename(line.nick, channel)
        break
      case 'ACCOUNT':
        this.#forget(line.nick)
        if (channel !== '*' && channel !== '') this.saw(line.nick, channel)
        break
      case '353':
        this.#names(line)
        break
    }
  }

  /** Of a channel that we are out of nobody's coming and going is seen. */
  #left(channel: string, nick: string, isSelf: boolean): void {
    if (isSelf) this.#channels.delete(this.#fold(channel))
    else this.#channels.get(this.#fold(channel))?.delete(this.#fold(nick))
  }

  #members(channel: string): Map<string, string> {
    const key = this.#fold(channel)
    const known = this.#channels.get(key)
    if (known) return known
    const made = new Map<string, string>()
    this.#channels.set(key, made)
    return made
  }

  #rename(from: string, to: string): void {
    const account = this.accountOf(from)
    for (const members of this.#channels.values()) {
      if (members.delete(this.#fold(from))) members.set(this.#fold(to), to)
    }
    this.#forget(from)
    if (account !== null) this.saw(to, account)
  }

  #names(line: Line): void {
    const members = this.#members(line.params[2] ?? '')
    for (const name of lastParam(line).split(' ')) {
      const nick = name.replace(/^[~&@%+!.]+/, '').split('!')[0] ?? ''
      if (nick !== '') members.set(this.#fold(nick), nick)
    }
  }
}
