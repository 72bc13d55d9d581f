import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseLine } from '../text/line.ts'
import { type Batch, Batches, isBatch } from './batch.ts'

function collecting() {
  const done: Batch[] = []
  const counts = { over: 0 }
  const batches = new Batches(
    batch => done.push(batch),
    () => counts.over++,
  )
  const take = (raw: string): boolean => {
    const line = parseLine(raw)
    assert.ok(line)
    return batches.take(line, raw.length)
  }
  return { done, counts, take }
}

describe('batches without bounds', () => {
  it('are kept up to so many bytes in all, however many are open, and the answer to a request after them is whole', () => {
    const { done, counts, take } = collecting()
    const words = 'x'.repeat(8000)
    for (let n = 0; n < 200; n++) {
      take(`BATCH +b${n} chathistory #a`)
      for (let m = 0; m < 100; m++) take(`@batch=b${n} :al!u@h PRIVMSG #a :${words}`)
    }
    for (let n = 0; n < 200; n++) take(`BATCH -b${n}`)
    const kept = done.reduce((sum, { items }) => sum + items.length, 0)
    assert.ok(kept * words.length <= 64 * 2 ** 20, `${kept} lines are kept`)
    assert.equal(counts.over, 1)
    take('@label=h1 BATCH +h chathistory #a')
    for (let m = 0; m < 1000; m++) take(`@batch=h :al!u@h PRIVMSG #a :${m}`)
    take('BATCH -h')
    assert.deepEqual([done.at(-1)?.start.tags['label'], done.at(-1)?.items.length], ['h1', 1000])
    assert.equal(counts.over, 1)
  })

  it('are cut where one of them is too large, and end', () => {
    const { done, counts, take } = collecting()
    take('BATCH +b chathistory #a')
    for (let n = 0; n < 300_000; n++) take('@batch=b X')
    take('BATCH -b')
    assert.ok((done[0]?.items.length ?? 0) < 250_000)
    assert.deepEqual([done.length, counts.over], [1, 1])
  })

  it('are not nested without end', () => {
    const { done, counts, take } = collecting()
    const deep = 20_000
    take('@batch=b1 BATCH +b0 chathistory #a')
    for (let n = 1; n <= deep; n++) {
      take(`${n === deep ? '' : `@batch=b${n + 1} `}BATCH +b${n} chathistory #a`)
      take(`BATCH -b${n - 1}`)
    }
    take(`BATCH -b${deep}`)
    let depth = 0
    for (let at = done[0]; at; at = at.items.find(isBatch)) depth++
    assert.ok(depth > 0 && depth < 20, `${depth} are within each other`)
    assert.equal(counts.over, 1)
  })

  it('that are as large as servers make them are whole', () => {
    const { done, counts, take } = collecting()
    take('@label=h1 BATCH +h chathistory #a')
    for (let n = 0; n < 1000; n++) {
      take(`@batch=h;msgid=m${n};time=2026-01-01T00:00:00.000Z;account=al :al!u@h BATCH +m${n} draft/multiline #a`)
      for (let m = 0; m < 100; m++) take(`@batch=m${n} :al!u@somewhere.example PRIVMSG #a :${'x'.repeat(40)}`)
      take(`BATCH -m${n}`)
    }
    take('BATCH -h')
    assert.equal(done[0]?.items.filter(isBatch).filter(({ items }) => items.length === 100).length, 1000)
    assert.equal(counts.over, 0)
  })
})
