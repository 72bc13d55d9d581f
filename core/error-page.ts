/** docs/errors.md, made from the catalogue: `node core/error-page.ts` writes it, a test compares the two. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { catalogue, type ErrorCode } from './error.ts'

export const errorPagePath = join(import.meta.dirname, '..', 'docs', 'errors.md')

const cell = (text: string): string => text.replaceAll('|', '\\|')

function table(audience: 'user' | 'operator'): string {
  const codes = (Object.keys(catalogue) as ErrorCode[]).filter(code => catalogue[code].audience === audience).sort()
  const rows = codes.map(code => {
    const { retry, help } = catalogue[code]
    return `| \`${code}\` | ${retry === 'later' ? 'by itself' : 'no'} | ${cell(help)} |`
  })
  return ['| Code | Tried again | What it means and what to do |', '|---|---|---|', ...rows].join('\n')
}

export const errorPage = (): string => `# Errors

Every error of Chanop has one of these codes. Its message is one line that says what to do next; this page says the same
at more length. "Tried again: by itself" means that waiting can cure it and nobody has to do anything; "no" means that
something must change first. Made from \`core/error.ts\` by \`node core/error-page.ts\`.

## Told to whoever typed

${table('user')}

## Told to who runs the system

They stand in the logs (\`pm2 logs\`), in \`!status\`, and in \`npm run doctor\`.

${table('operator')}
`

if (import.meta.main) writeFileSync(errorPagePath, errorPage())
