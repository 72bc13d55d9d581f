/** The bots, in the order in which people meet them. Each is a process, a persona, and a name to address. */
export const bots = ['admin', 'bridge', 'oracle', 'scribe'] as const
export type BotName = (typeof bots)[number]

export const isBotName = (word: string): word is BotName => (bots as readonly string[]).includes(word)

/** Bots with whom one talks: what is said to them is talk unless it is, word for word, a command of theirs. */
export const talkers: readonly string[] = ['oracle']
