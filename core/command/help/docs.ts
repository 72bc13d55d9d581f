import type { Command, Example } from '../command.ts'
import { type Field } from '../parse/fields.ts'
import { publishedOf } from './published.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

function argument({ key, type, form, required, values, default: usual, min, max, about }: Field): string {
  const kind = { positional: 'word', list: 'words', rest: 'text to the end', named: `${key}=…`, flag: `--${key}` }[form]
  const bounds = [min === undefined ? '' : `from ${min}`, max === undefined ? '' : `to ${max}`].filter(Boolean)
  const notes = [
    about,
    values ? `one of ${values.join(', ')}` : undefined,
    usual === undefined ? undefined : `default ${usual}`,
    bounds.join(' ') || undefined,
    type === 'secret' ? 'never echoed' : undefined,
  ]
  const said = notes.filter(Boolean).join('; ')
  return `| \`${key}\` | ${type} | ${kind} | ${required ? 'yes' : 'no'} | ${cell(said)} |`
}

const exampleOf = ([said, answer, shown]: Example): string => `> ${said}\n${shown ?? answer}`

function section(command: Command<never>): string {
  const { usage, fields, role, scope, where, bot, aliases, confirms, reply } = publishedOf(command)
  const notes = [
    `**Role:** ${role}${scope === 'room' ? ' (in the room)' : ''}`,
    `**answers** ${reply === 'private' ? 'in private' : 'where it was asked'}`,
    where === 'dm' ? `**only in a direct message** to ${bot}` : '',
    confirms ? '**may ask to confirm**' : '',
    aliases.length > 0 ? `**also** ${aliases.map(alias => `\`${alias}\``).join(', ')}` : '',
  ]
  const table = ['| Argument | Is | Typed as | Needed | |', '|---|---|---|---|---|', ...fields.map(argument)]
  const examples = command.examples.map(exampleOf)
  return [
    `### ${command.name}`,
    `\`${usage}\``,
    `${command.summary}.`,
    notes.filter(Boolean).join(' · '),
    ...(fields.length > 0 ? [table.join('\n')] : []),
    ['```text', examples.join('\n\n'), '```'].join('\n'),
  ].join('\n\n')
}

/**
 * docs/commands.md from the declarations of all bots: the same input gives the same text, so that a test can tell
 * whether the file is fresh.
 */
export function renderReference(commands: readonly Command<never>[]): string {
  const bots = [...new Set(commands.map(({ bot }) => bot))].sort()
  const parts = bots.map(bot => {
    const own = commands.filter(command => command.bot === bot).sort((a, b) => (a.name < b.name ? -1 : 1))
    return [`## ${bot}`, ...own.map(section)].join('\n\n')
  })
  const head = [
    '# Commands',
    '<!-- Made from the declarations in bots/*/commands: change those, then run `npm run docs`. -->',
    'Say them with `!` in front, by name (`admin: status`, `@admin status`), or plainly in a direct message. ' +
      '`<x>` is needed, `[x]` is not, `…` takes the rest of the line, `key=…` and `--flag` stand anywhere before it. ' +
      'Quote a word that has spaces.\n\nWhat answers *in private* is shown to you alone where the platform can, else said in your direct conversation with `admin`, whichever bot answers; the room then sees `you: → in your DM`, once an hour.',
  ]
  return `${[...head, ...parts].join('\n\n')}\n`
}
