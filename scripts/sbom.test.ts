import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'

interface Locked {
  readonly version?: string
  readonly integrity?: string
}

interface Component {
  readonly purl: string
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[]
}

const root = resolve(import.meta.dirname, '..')

test('the bill names every package of the lock file with its hash, and no other', t => {
  const folder = mkdtempSync(join(tmpdir(), 'chanop-sbom-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'sbom.json')
  const made = spawnSync(process.execPath, [join(root, 'scripts', 'sbom.ts'), file], { encoding: 'utf8' })
  assert.equal(made.stderr, '')
  const bom = JSON.parse(readFileSync(file, 'utf8')) as { bomFormat: string; components: Component[] }
  assert.equal(bom.bomFormat, 'CycloneDX')
  assert.match(made.stdout, new RegExp(`: CycloneDX, ${bom.components.length} packages\n$`))
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>
  }
  const hashOf = new Map(bom.components.map(({ purl, hashes }) => [decodeURIComponent(purl), hashes?.[0]?.content]))
  const wanted = new Set<string>()
  for (const [path, { version, integrity }] of Object.entries(packages)) {
    if (path === '') continue
    const name = `pkg:npm/${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version}`
    wanted.add(name)
    const hash = Buffer.from(integrity?.replace('sha512-', '') ?? '', 'base64').toString('hex')
    assert.equal(hashOf.get(name), hash, name)
  }
  assert.deepEqual([...hashOf.keys()].toSorted(), [...wanted].toSorted())
})
