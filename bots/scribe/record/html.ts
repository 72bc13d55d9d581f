import { escapeHtml } from '../../../core/text/text.ts'
import { escaped } from './controls.ts'
import { type Format, iso, type Line } from './line.ts'

/** Text that is nothing but text: no control of it either. */
export const htmlOf = (text: string): string => escapeHtml(escaped(text)).replaceAll('\r', '')

const style = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{font-size:1rem;border-bottom:1px solid #8886;margin:2rem 0 .5rem}p{margin:.15rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
time,.note,footer{color:#777}time{font-variant-numeric:tabular-nums;font-size:.85em;margin-right:.6em}p:target{background:#fd03}`

/** A page that needs nothing else: no script, no font, no picture from anywhere. */
export function html(title: string): Format {
  let day = ''
  return {
    extension: 'html',
    head: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${htmlOf(title)}</title><style>${style}</style></head>
<body><h1>${htmlOf(title)}</h1>
`,
    line: line => {
      const at = iso(line.atMs)
      const heading = at.slice(0, 10) === day ? '' : `<h2>${at.slice(0, 10)}</h2>\n`
      day = at.slice(0, 10)
      return `${heading}<p id="m${line.seq}"><time datetime="${at}">${at.slice(11, 19)}</time>${shown(line)}</p>\n`
    },
    foot: '<footer>Times are UTC.</footer></body></html>\n',
  }
}

const note = (text: string): string => `<span class="note">${text}</span>`

function shown(line: Line): string {
  const name = `<b title="${htmlOf(line.user)}">${htmlOf(line.name)}</b>`
  const text = htmlOf(line.text)
  if (line.kind === 'reaction') return note(`${name} reacted to ${link(line.target)}: ${text}`)
  if (line.kind === 'topic') return note(`${name} set the topic: ${text}`)
  if (line.kind === 'gap') return note(`not recorded: ${text}`)
  if (line.kind !== 'message') return note(`${name} ${text}`)
  if (line.deleted) return `${name} ${note('deleted')}`
  const reply = line.target === undefined ? '' : note(`↩ ${link(line.target)} `)
  const files = (line.attachments ?? [])
    .map(file => ` ${note(htmlOf(`[${[file.name, file.url].filter(Boolean).join(' ')}]`))}`)
    .join('')
  return `${name} ${reply}${text}${files}${line.edits ? ` ${note('(edited)')}` : ''}`
}

const link = (seq: number | null | undefined): string =>
  seq ? `<a href="#m${seq}">#${seq}</a>` : 'a message not held here'
