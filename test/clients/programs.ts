/** Clients that others make, of these versions, in the cache of the user. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Places } from '../../scripts/programs/places.ts'
import { failed, obtainPython, reasonOf } from '../../scripts/programs/python.ts'

const run = promisify(execFile)

const openai = '3.57.0'
const openWebUi = '0.12.4'
const inspector = '2.12.0'
/** The released one, and the first that knows the revision in force. */
const conformance = '0.1.16'
const conformanceNext = '0.2.0-alpha.12'

const imports =
  (module: string) =>
  async (python: string): Promise<void> => {
    await run(python, ['-c', `import ${module}`], { timeout: 120_000 }).catch((error: unknown) => {
      throw failed(`${module} does not run with ${python} (${reasonOf(error)})`)
    })
  }

/** A Python with OpenAI's package. */
export const openAiPython = ({ cache, env }: Places): Promise<string> =>
  obtainPython(
    {
      name: 'openai',
      cache,
      home: join(cache, `openai-${openai}`),
      steps: async () => [[`openai==${openai}`]],
      minor: { from: 9, to: 14 },
      check: imports('openai'),
    },
    env,
  )

/** The wheel, and the list in it of what it needs without models of its own: 700 MB instead of several thousand. */
async function slim(python: string, folder: string): Promise<string[][]> {
  const options = { timeout: 600_000, cwd: folder }
  await run(python, ['-m', 'pip', 'download', '--quiet', '--no-deps', `open-webui==${openWebUi}`], options)
  const wheel = join(folder, `open_webui-${openWebUi}-py3-none-any.whl`)
  const unpack = `import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract('requirements-slim.txt')`
  await run(python, ['-c', unpack, wheel], options)
  return [
    ['-r', join(folder, 'requirements-slim.txt')],
    ['--no-deps', wheel],
  ]
}

/** A Python with Open WebUI. */
export const webUiPython = ({ cache, env }: Places): Promise<string> =>
  obtainPython(
    {
      name: 'Open WebUI',
      cache,
      home: join(cache, `open-webui-${openWebUi}`),
      steps: slim,
      minor: { from: 11, to: 12 },
      check: imports('uvicorn'),
    },
    env,
  )

/** Where one of MCP's programs begins: `@modelcontextprotocol/inspector`, `@modelcontextprotocol/conformance`, `conformance-next`. */
export async function mcpPrograms({ cache }: Places): Promise<(name: string) => string> {
  const home = join(cache, `mcp-${inspector}-${conformance}-${conformanceNext}`)
  const suite = '@modelcontextprotocol/conformance'
  const wanted = [
    `@modelcontextprotocol/inspector@${inspector}`,
    `${suite}@${conformance}`,
    `conformance-next@npm:${suite}@${conformanceNext}`,
  ]
  const quiet = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', ['install', '--prefix', home, ...quiet, ...wanted], { timeout: 600_000 }).catch((error: unknown) => {
    throw failed(`MCP's programs can not be installed (${reasonOf(error)})`)
  })
  return name => {
    const folder = join(home, 'node_modules', name)
    const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin: Record<string, string> }
    return join(folder, Object.values(bin)[0] as string)
  }
}
