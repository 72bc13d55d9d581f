/** From most to least. A role includes all that stand after it. */
export const roles = ['owner', 'operator', 'member', 'guest'] as const
export type Role = (typeof roles)[number]

export const isRole = (word: string): word is Role => (roles as readonly string[]).includes(word)

/** Whether holding `held` allows what needs `needed`. */
export const includes = (held: Role, needed: Role): boolean => roles.indexOf(held) <= roles.indexOf(needed)
