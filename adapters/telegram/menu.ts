import { isDeepStrictEqual } from 'node:util'
import type { NativeCommand } from '../../core/adapter.ts'
import { truncate } from '../../core/text/text.ts'
import type { Api } from './api.ts'

interface BotCommand {
  readonly command: string
  readonly description: string
}

/** Of one list (setMyCommands). */
const mostCommands = 100
const mostDescription = 256

/** `role grant` is `/role_grant` where a command is one word of small letters, digits and underscores. */
const wordOf = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, '_')

const isWord = (word: string): boolean => /^[a-z][a-z0-9_]{0,31}$/.test(word)

const listOf = (commands: readonly NativeCommand[]): BotCommand[] =>
  commands.slice(0, mostCommands).map(({ name, summary }) => ({
    command: wordOf(name),
    description: truncate(summary, mostDescription - 8) || name,
  }))

/**
 * The list of commands that a client shows at `/`. Telegram knows scopes and no roles of ours: everybody is shown what members may do, and
 * administrators, and who talks to us alone, all.
 */
export class Menu {
  #names: ReadonlyMap<string, string> = new Map()
  /** How many commands are in no list. */
  hidden = 0

  /** The command that a word of the list stands for. */
  nameOf(word: string): string | undefined {
    return this.#names.get(word.toLowerCase())
  }

  async show(api: Api, commands: readonly NativeCommand[], signal: AbortSignal): Promise<void> {
    const able = commands.filter(({ name }) => isWord(wordOf(name)))
    this.#names = new Map(able.map(({ name }) => [wordOf(name), name]))
    this.hidden = commands.length - Math.min(able.length, mostCommands)
    const open = able.filter(({ role }) => role === 'guest' || role === 'member')
    await this.#set(api, { type: 'default' }, listOf(open), signal)
    await this.#set(api, { type: 'all_private_chats' }, listOf(able), signal)
    await this.#set(api, { type: 'all_chat_administrators' }, listOf(able), signal)
  }

  async #set(api: Api, scope: { type: string }, commands: BotCommand[], signal: AbortSignal): Promise<void> {
    const shown = await api.call<readonly BotCommand[]>('getMyCommands', { scope }, { signal })
    const known = shown.map(({ command, description }) => ({ command, description }))
    if (!isDeepStrictEqual(known, commands)) await api.call('setMyCommands', { scope, commands }, { signal })
  }
}
