/** `npm run check`: everything that can be said about the sources without running them. */
import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const sources = ['core', 'adapters', 'bots', 'config', 'scripts', 'bench', 'test']

export interface Tool {
  readonly name: string
  readonly args: readonly [program: string, ...args: string[]]
}

export const tools: readonly Tool[] = [
  { name: 'lint', args: ['oxlint', '--type-aware', '--quiet', ...sources] },
  { name: 'format', args: ['biome', 'format', '.'] },
  { name: 'types', args: ['tsc', '--noEmit'] },
  { name: 'dead code', args: ['knip', '--no-progress'] },
]

/** Runs a tool and resolves with what it printed; `ok` is its verdict. */
export function runTool({
  args: [program, ...args],
}: Tool): Promise<{ readonly ok: boolean; readonly printed: string }> {
  return new Promise(done => {
    const child = spawn(join(root, 'node_modules', '.bin', program), args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (printed += text))
    child.once('error', error => done({ ok: false, printed: error.message }))
    child.once('close', code => done({ ok: code === 0, printed: printed.trim() }))
  })
}

if (import.meta.main) {
  for (const tool of tools) {
    const { ok, printed } = await runTool(tool)
    console.log(`${ok ? '✓' : '✗'} ${tool.name}`)
    if (!ok) {
      console.log(printed)
      process.exitCode = 1
    }
  }
}
