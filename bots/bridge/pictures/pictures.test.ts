import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { Chart } from '../../../core/event.ts'
import { until } from '../testing.ts'
import { chartSvg } from './chart.ts'
import { Painter } from './painter.ts'

const never = new AbortController().signal
const bar = (name: string, value: number) => ({ name, value, shown: `${value}` })
const chart: Chart = {
  title: 'general: 12 messages',
  parts: [
    { title: 'a day', columns: true, bars: Array.from({ length: 30 }, (_, n) => bar(`11-${n + 1}`, n % 7)) },
    { title: 'top', bars: [bar('olga', 9), bar('bob', 3), bar('nobody', 0)] },
  ],
}

/** Width and height as a PNG's header says them. */
function sizeOf(png: Uint8Array): [number, number] {
  const bytes = Buffer.from(png)
  assert.equal(bytes.toString('latin1', 1, 4), 'PNG')
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
}

test('a chart is drawn on a thread that goes when nothing is drawn, and comes again', async () => {
  const painter = new Painter({ idleMs: 0 })
  assert.equal(painter.awake, false)
  const svg = chartSvg(chart)
  const heightPx = Number(/height="(\d+)"/.exec(svg)?.[1])
  assert.deepEqual(sizeOf(await painter.png(svg, never)), [1080, heightPx * 1.5])
  await until(() => !painter.awake, 'the end of the thread')
  assert.deepEqual(sizeOf(await painter.png(svg, never)), [1080, heightPx * 1.5])
})

test('a picture ends compiling for nobody: what is preloaded into a bot is not loaded into its thread', async () => {
  const lean = join(import.meta.dirname, '../../../core/process/lean.ts')
  const child = [
    '--allow-natives-syntax',
    '--no-freeze-flags-after-init',
    '--import',
    lean,
    join(import.meta.dirname, 'painter.child.ts'),
  ]
  const { stdout } = await promisify(execFile)(process.execPath, child)
  assert.equal(stdout, 'compiled\n')
})

test('what is no picture, and what is given up, takes nothing else with it', async () => {
  const painter = new Painter()
  const first = new AbortController()
  const given = painter.png(chartSvg(chart), first.signal)
  const broken = painter.png('<svg', never)
  const good = painter.png(chartSvg(chart), never)
  first.abort()
  await assert.rejects(given, { name: 'AbortError' })
  await assert.rejects(broken)
  assert.equal(sizeOf(await good)[0], 1080)
})

test('names are text, whatever they hold; the longest bar fills its room and nothing has none', async () => {
  const names = ['<b>&"\'', '\u0000\u001b[31m', '\ud800', '\ufffe', '\u202eabc', 'W'.repeat(300), '']
  const svg = chartSvg({
    title: names.join(''),
    parts: [{ title: names[0] as string, bars: names.map(n => bar(n, 1)) }],
  })
  assert.ok(!svg.includes('<b>') && svg.includes('&lt;b&gt;&amp;'))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML takes none of them
  assert.doesNotMatch(svg, /[\u0000-\u0009\u000b-\u001f\ufffe\ud800\u202e]/)
  const painter = new Painter()
  assert.equal(sizeOf(await painter.png(svg, never))[0], 1080)
  const widths = [...chartSvg(chart).matchAll(/width="([\d.]+)" height="26.0"/g)].map(([, wide]) => Number(wide))
  assert.deepEqual(widths, [318, 106, 0])
})
