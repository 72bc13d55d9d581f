/** `npm run check`: everything that can be said about the sources without running them. */
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { readIfThere } from '../core/files.ts'
import { run } from './programs/run.ts'

const root = resolve(import.meta.dirname, '..')
const sources = ['core', 'adapters', 'bots', 'config', 'scripts', 'bench', 'test']
const keptIn = join(root, 'node_modules', '.cache', 'checks')

interface Tool {
  readonly name: string
  readonly args: readonly [program: string, ...args: string[]]
}

interface Verdict {
  readonly ok: boolean
  readonly printed: string
}

export const tools: readonly Tool[] = [
  { name: 'lint', args: ['oxlint', '--type-aware', '--quiet', ...sources] },
  { name: 'format', args: ['biome', 'format', '.'] },
  { name: 'types', args: ['tsc', '--noEmit'] },
  { name: 'dead code', args: ['knip', '--no-progress'] },
]

/** Names all that the tools read, by its content, and by the lock file the tools; null where git can't say what that is. */
async function stateOfSources(): Promise<string | null> {
  const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const found = await run('git', listed, { cwd: root, maxBuffer: 2 ** 24 }).catch(() => null)
  if (found === null) return null
  const hash = createHash('sha256')
  for (const file of new Set(found.stdout.split('\0').filter(Boolean).sort()))
    hash
      .update(`${file}\0`)
      .update((await readIfThere(join(root, file))) ?? 'gone')
      .update('\0')
  return hash.digest('hex')
}

/** What a tool has to say of the sources as they are. What it found good once is not looked at again until a file changes. */
export async function check({ name, args }: Tool): Promise<Verdict> {
  const state = await stateOfSources()
  const kept = join(keptIn, name.replaceAll(' ', '-'))
  const of = `${state} ${args.join(' ')}`
  if (state !== null && (await readIfThere(kept)) === of) return { ok: true, printed: '' }
  const verdict = await runTool(args)
  if (state !== null && verdict.ok && (await stateOfSources()) === state) {
    await mkdir(keptIn, { recursive: true })
    await writeFile(kept, of)
  }
  return verdict
}

function runTool([program, ...args]: Tool['args']): Promise<Verdict> {
  const said = ({ stdout, stderr }: { stdout?: string; stderr?: string }): string => `${stdout}${stderr}`.trim()
  return run(join(root, 'node_modules', '.bin', program), args, { cwd: root, maxBuffer: 2 ** 26 }).then(
    printed => ({ ok: true, printed: said(printed) }),
    (error: Error & { stdout?: string; stderr?: string }) => ({ ok: false, printed: said(error) || error.message }),
  )
}

if (import.meta.main) {
  for (const tool of tools) {
    const { ok, printed } = await check(tool)
    console.log(`${ok ? '✓' : '✗'} ${tool.name}`)
    if (!ok) {
      console.log(printed)
      process.exitCode = 1
    }
  }
}
