/**
 * `npm run sbom [-- FILE]`: the software bill of materials as CycloneDX JSON: every npm package of the lock file, those for
 * development marked so, with version, licence and SHA-512. Without FILE it is `sbom.cdx.json` in the data folder.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { readArguments } from './arguments.ts'
import { instanceOf, shown } from './instance.ts'
import { run } from './programs/run.ts'
import { script } from './steps.ts'

const usage = `usage: npm run sbom [-- FILE]
Writes the packages of the lock file as CycloneDX JSON. Without FILE it is sbom.cdx.json in the data folder.`

const npm = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only']

interface Bom {
  readonly metadata: { readonly component: { name: string } }
  readonly components: readonly object[]
}

async function main(): Promise<number> {
  const read = readArguments(usage, {}, 1)
  if (!read) return 0
  const instance = instanceOf()
  const file = resolve(read.positionals[0] ?? join(instance.paths.data, 'sbom.cdx.json'))
  const { stdout } = await run('npm', npm, { cwd: instance.root, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 })
  const bom = JSON.parse(stdout) as Bom
  // npm takes the folder's name.
  bom.metadata.component.name = 'chanop'
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(file, `${JSON.stringify(bom, null, 2)}\n`, { mode: 0o600 })
  console.log(`${shown(instance, file)}: CycloneDX, ${bom.components.length} packages`)
  return 0
}

await script(main)
