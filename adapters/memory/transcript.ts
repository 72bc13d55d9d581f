import { plain } from '../../core/text/text.ts'
import type { Happening } from './native.ts'

/** One line of a transcript: `13:05:09.120 #general m4 <alice> hello`. */
export function line(happening: Happening): string {
  const at = new Date(happening.atMs).toISOString().slice(11, 23)
  const where = happening.thread === undefined ? happening.channel : `${happening.channel}/${happening.thread}`
  return `${at} ${where} ${said(happening)}`
}

function said(happening: Happening): string {
  const who = happening.by.name
  switch (happening.kind) {
    case 'message':
      return `${happening.id} <${who}> ${plain(happening.content)}`
    case 'edit':
      return `${who} edits ${happening.target}: ${plain(happening.content)}`
    case 'delete':
      return `${who} deletes ${happening.target} ${happening.reason ?? ''}`
    case 'reaction':
      return `${who} ${happening.removed ? 'takes back' : 'reacts with'} ${happening.emoji} on ${happening.target}`
    case 'member':
      return `${who}: ${happening.change} ${happening.detail ?? ''}`
    case 'topic':
      return `${who} sets the topic: ${happening.topic}`
  }
}
