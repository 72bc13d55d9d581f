import type { NativeCommand, NativeField } from '../adapter.ts'
import type { Asked } from '../event.ts'
import { given } from '../given.ts'
import type { Published } from './help/published.ts'
import { type Field, isSecret } from './parse/fields.ts'

function fieldOf({ key, type, required, values, min, max, about }: Field): NativeField {
  return {
    name: key,
    type,
    required,
    ...given({ choices: values, min, max, summary: about }),
  }
}

const roles = ['guest', 'member', 'operator', 'owner'] as const

/**
 * What platforms are given as commands of their own, those that most people may use first. Commands that take a secret stay out:
 * platforms keep and show what was typed into a form.
 */
export const nativeCommands = (published: readonly Published[]): NativeCommand[] =>
  published
    .filter(({ fields }) => !fields.some(isSecret))
    .map(({ name, bot, summary, reply, role, fields }) => ({
      name,
      bot,
      summary,
      private: reply === 'private',
      role,
      fields: fields.map(fieldOf).toSorted((one, other) => Number(other.required) - Number(one.required)),
    }))
    .toSorted((one, other) => roles.indexOf(one.role) - roles.indexOf(other.role) || (one.name < other.name ? -1 : 1))

const word = (value: string | number | boolean): string => {
  const said = String(value)
  return /^[^\s"“”]+$/.test(said) ? said : `"${said.replaceAll(/["“”]/g, "'")}"`
}

/** What a person would have typed instead of filling in a form: `/role grant who=bob role=member`. */
export const inWords = ({ name, args }: Asked): string =>
  [`/${name}`, ...Object.entries(args).map(([key, value]) => `${key}=${word(value)}`)].join(' ')
