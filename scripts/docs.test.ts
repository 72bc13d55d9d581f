import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pages, written } from './docs.ts'

for (const page of pages()) {
  test(`${page.path} says what the sources say`, async () => {
    assert.ok((await written(page)) === page.text, `${page.path} is stale: npm run docs`)
  })
}
