import assert from 'node:assert/strict'
import { it } from 'node:test'
import { stopwatch } from '../contract/stopwatch.ts'
import { deceives } from './lookalikes.ts'

it('a word of letters that pass for each other deceives; words of one script each do not', () => {
  for (const name of ['аdmin', 'admin а boо', 'Αlice', 'aЖ', 'Жa'])
    assert.equal(deceives(name), 'look-alike letters', name)
  for (const name of ['Zoé', 'Anna Анна', 'Анна Anna', 'Ελένη Smith', 'é ж']) assert.equal(deceives(name), null, name)
})

it('a name of tens of thousands of letters keeps nothing up', () => {
  const tookMs = stopwatch()
  for (const unit of ['a', 'a ', 'ж', 'ж ', ' ', 'é1']) assert.equal(deceives(`${unit.repeat(20_000)}漢`), null)
  assert.ok(tookMs() < 2000, `${tookMs()} ms`)
})
