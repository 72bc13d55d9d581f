/** A chart as SVG: pure. Large letters and few of them, so that it is read on a phone. */
import type { Chart, ChartPart } from '../../../core/event.ts'
import { escapeHtml, truncate, visible } from '../../../core/text/text.ts'

type Bar = ChartPart['bars'][number]

const widthPx = 720
const marginPx = 36
const innerPx = widthPx - 2 * marginPx
const rowPx = 40
const columnsPx = 170
const namePx = 220
/** Room for the number behind the longest bar. */
const shownPx = 110
const colours = { paper: '#ffffff', ink: '#1d2433', faint: '#5b6475', bar: '#3b6fd4', rail: '#e8ecf4' }

interface Drawn {
  readonly svg: string
  readonly heightPx: number
}

/** What XML takes: `visible` leaves no control characters and no half of a pair, these two are none of them. */
const escaped = (text: string, most = 60): string =>
  escapeHtml(truncate(visible(text).replace(/[\ufffe\uffff]/g, ''), most))

interface Letters {
  readonly sizePx?: number
  readonly fill?: string
  readonly anchor?: 'start' | 'middle' | 'end'
}

const label = (
  xPx: number,
  yPx: number,
  text: string,
  { sizePx = 22, fill = colours.ink, anchor = 'start' }: Letters,
) => `<text x="${xPx}" y="${yPx}" font-size="${sizePx}" fill="${fill}" text-anchor="${anchor}">${text}</text>`

const box = (xPx: number, yPx: number, wPx: number, hPx: number, fill = colours.bar): string =>
  `<rect x="${xPx.toFixed(1)}" y="${yPx.toFixed(1)}" width="${wPx.toFixed(1)}" height="${hPx.toFixed(1)}" rx="3" fill="${fill}"/>`

const largest = (bars: readonly Bar[]): number => Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE)

/** Something is always seen of what is not nothing. */
const long = (value: number, most: number, roomPx: number): number =>
  value === 0 ? 0 : Math.max((value / most) * roomPx, 3)

function rows(bars: readonly Bar[], topPx: number): Drawn {
  const most = largest(bars)
  const railPx = innerPx - namePx - shownPx
  const from = marginPx + namePx
  const svg = bars.map(({ name, value, shown }, at) => {
    const yPx = topPx + at * rowPx
    const wPx = long(value, most, railPx)
    // What is wider is cut off there: an SVG within one shows nothing beyond itself.
    const text = `<svg x="${marginPx}" y="${yPx}" width="${namePx - 12}" height="${rowPx}">${label(0, 27, escaped(name, 15), {})}</svg>`
    const number = label(from + wPx + 10, yPx + 27, escaped(shown, 12), { fill: colours.faint })
    return text + box(from, yPx + 7, wPx, 26) + number
  })
  return { svg: svg.join('\n'), heightPx: bars.length * rowPx }
}

/** How a text under the bar `at` stands, so that it leaves the picture at neither side. */
function anchored(at: number, bars: number, stepPx: number): { readonly xPx: number } & Letters {
  if (at === 0) return { xPx: marginPx, anchor: 'start' }
  if (at === bars - 1) return { xPx: marginPx + innerPx, anchor: 'end' }
  return { xPx: marginPx + (at + 0.5) * stepPx, anchor: 'middle' }
}

/** Names below the first, the last and each seventh before it; the highest has its number above it. */
function columns(bars: readonly Bar[], topPx: number): Drawn {
  const most = largest(bars)
  const stepPx = innerPx / Math.max(bars.length, 1)
  const basePx = topPx + 30 + columnsPx
  const highest = bars.findLastIndex(({ value }) => value === most)
  const svg = bars.map(({ name, value, shown }, at) => {
    const hPx = Math.max(long(value, most, columnsPx), 2)
    const { xPx, ...letters } = anchored(at, bars.length, stepPx)
    const text = (yPx: number, words: string, fill: string): string =>
      label(xPx, yPx, escaped(words, 12), { ...letters, sizePx: 20, fill })
    const isNamed = at === 0 || (at > 3 && (bars.length - 1 - at) % 7 === 0)
    return [
      box(marginPx + (at + 0.12) * stepPx, basePx - hPx, stepPx * 0.76, hPx, value === 0 ? colours.rail : colours.bar),
      isNamed ? text(basePx + 28, name, colours.faint) : '',
      at === highest ? text(basePx - hPx - 8, shown, colours.ink) : '',
    ].join('')
  })
  return { svg: svg.join('\n'), heightPx: 30 + columnsPx + 40 }
}

function part({ title, bars, columns: beside }: ChartPart, topPx: number): Drawn {
  const { svg, heightPx } = (beside ? columns : rows)(bars, topPx + 40)
  return {
    svg: `${label(marginPx, topPx + 24, escaped(title), { fill: colours.faint })}\n${svg}`,
    heightPx: heightPx + 60,
  }
}

/** 720 pixels wide, as high as it takes. The font is the one of whoever draws it. */
export function chartSvg({ title, parts }: Chart): string {
  let yPx = marginPx + 60
  const drawn: string[] = []
  for (const each of parts) {
    const { svg, heightPx } = part(each, yPx)
    drawn.push(svg)
    yPx += heightPx
  }
  const heightPx = yPx + marginPx - 20
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}">
${box(0, 0, widthPx, heightPx, colours.paper).replace(' rx="3"', '')}
${label(marginPx, marginPx + 26, escaped(title, 48), { sizePx: 30 })}
${drawn.join('\n')}
</svg>
`
}
