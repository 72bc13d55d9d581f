/** A terminal's text as an SVG picture, in the colours of `npm run chat`. */
import { escapeHtml } from '../core/text/text.ts'

const charPx = 8.4
const linePx = 20
const marginPx = 18
const barPx = 34
const colours = ['#8be9fd', '#50fa7b', '#ffb86c', '#ff79c6', '#bd93f9', '#f1fa8c']

const span = (text: string, colour: string): string => `<tspan fill="${colour}">${escapeHtml(text)}</tspan>`

/** One colour a name, in the order in which they first speak. */
function colourOf(names: string[], name: string): string {
  if (!names.includes(name)) names.push(name)
  return colours[names.indexOf(name) % colours.length] ?? '#f8f8f2'
}

function row(line: string, names: string[]): string {
  const [, time, name = '', said = ''] = /^(\d\d:\d\d )<([^>]+)>(.*)$/.exec(line) ?? []
  if (time === undefined) return span(line, '#f8f8f2')
  return span(time, '#6272a4') + span(`<${name}>`, colourOf(names, name)) + span(said, '#f8f8f2')
}

export function terminalPicture(text: string): string {
  const lines = text.split('\n')
  const names: string[] = []
  const columns = Math.max(...lines.map(line => line.length))
  const [width, height] = [Math.ceil(columns * charPx) + 2 * marginPx, lines.length * linePx + barPx + 2 * marginPx]
  const rows = lines.map(
    (line, n) =>
      `  <text x="${marginPx}" y="${barPx + marginPx + (n + 0.7) * linePx}" xml:space="preserve">${row(line, names)}</text>`,
  )
  const lights = ['#ff5f56', '#ffbd2e', '#27c93f'].map(
    (fill, n) => `  <circle cx="${marginPx + 6 + n * 20}" cy="17" r="6" fill="${fill}"/>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
  <rect width="${width}" height="${height}" rx="10" fill="#282a36"/>
${lights.join('\n')}
  <text x="${width / 2}" y="22" fill="#6272a4" text-anchor="middle">npm run chat</text>
${rows.join('\n')}
</svg>
`
}
