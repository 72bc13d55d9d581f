/** `npm run docs`: writes the pages of docs/ that are made from the sources. A test says when one is stale. */

import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { adminCommands } from '../bots/admin/admin.ts'
import { bridgeCommands } from '../bots/bridge/run.ts'
import { oracleCommands } from '../bots/oracle/commands/all.ts'
import { scribeCommands } from '../bots/scribe/commands/all.ts'
import type { Command } from '../core/command/command.ts'
import { renderReference } from '../core/command/help/docs.ts'
import { errorPage } from '../core/error-page.ts'
import { readIfThere } from '../core/files.ts'
import { terminalPicture } from './picture.ts'

const root = resolve(import.meta.dirname, '..')

/** The conversation that README shows, as it was seen. */
function session(): string {
  const found = /^```\n(\d\d:\d\d <owner> [\s\S]*?)\n```$/m.exec(readFileSync(join(root, 'README.md'), 'utf8'))
  if (!found?.[1]) throw new Error('README.md shows no session of npm run chat')
  return found[1]
}

export interface Page {
  /** Below the project's folder. */
  readonly path: string
  readonly text: string
}

export const commands = [
  ...adminCommands,
  ...bridgeCommands,
  ...oracleCommands,
  ...scribeCommands,
] as readonly Command<never>[]

export const pages = (): readonly Page[] => [
  { path: 'docs/commands.md', text: renderReference(commands) },
  { path: 'docs/errors.md', text: errorPage() },
  { path: 'docs/session.svg', text: terminalPicture(session()) },
]

/** The page as it stands; empty when it is not there. */
export const written = async ({ path }: Page): Promise<string> => (await readIfThere(join(root, path))) ?? ''

if (import.meta.main) {
  for (const page of pages()) {
    const fresh = (await written(page)) === page.text
    if (!fresh) await writeFile(join(root, page.path), page.text)
    console.log(`${page.path}: ${fresh ? 'fresh' : 'written anew'}`)
  }
}
