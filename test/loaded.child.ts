/** Prints what the main file named by the first argument loads before it does anything: `{ packages, undici, languages, heapBytes }`, JSON. */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const packages = new Set<string>()
const languages: string[] = []
registerHooks({
  load: (url, context, next) => {
    const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
    if (name) packages.add(name)
    if (/\/zod\/.*\/locales\//.test(url)) languages.push(url.slice(url.lastIndexOf('/') + 1))
    return next(url, context)
  },
})
const main = resolve(process.argv[2] ?? '')
for (const [, specifier = ''] of readFileSync(main, 'utf8').matchAll(/^import .*'(\..*)'$/gm)) {
  await import(new URL(specifier, pathToFileURL(main)).href)
}
// Not in the types of Node.js: its own modules that were loaded, lazily ones with them.
const { moduleLoadList } = process as unknown as { moduleLoadList: readonly string[] }
const undici = moduleLoadList.some(name => name.includes('undici'))
globalThis.gc?.()
const heapBytes = process.memoryUsage().heapUsed
console.log(JSON.stringify({ packages: [...packages], undici, languages, heapBytes }))
