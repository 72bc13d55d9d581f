import type { Session } from './link/session.ts'

/** `multiline` as negotiated, null when text must be split into lines. */
export function multilineOf(session: Session): { maxBytes: number; maxLines: number } | null {
  if (!session.has('draft/multiline') || !session.has('batch')) return null
  const told = new Map(
    (session.login.available.get('draft/multiline') ?? '').split(',').map(pair => {
      const [key = '', value = ''] = pair.split('=')
      return [key, Number(value)] as const
    }),
  )
  return { maxBytes: told.get('max-bytes') || 4096, maxLines: told.get('max-lines') || 100 }
}

const table: readonly (readonly [(session: Session) => boolean, string])[] = [
  [
    session => session.has('message-tags'),
    'no message tags: replies, reactions and typing are not shown, and what was sent before a crash may be said twice with a label',
  ],
  [
    session => session.has('account-tag'),
    'no account tags: nobody can be recognised, so that commands which need a role do not work here',
  ],
  [session => session.has('server-time'), 'no server times: messages carry the time of their arrival'],
  [
    session => session.has('labeled-response') && session.has('echo-message'),
    'no labelled echoes: a PING after each message confirms it, and ids are our own',
  ],
  [session => multilineOf(session) !== null, 'no multiline: long text is split into lines'],
  [session => session.has('draft/message-redaction'), 'no redaction: what was said can not be removed'],
  [session => session.has('draft/relaymsg'), 'no RELAYMSG: relayed people speak as <name> in front of the text'],
  [session => session.support('BOT') !== null, 'no bot mode: other programs can not tell that we are bots'],
]

/** What the server does not have, and what happens instead: one plain line each. */
export function lacksOf(session: Session, replays: boolean): string[] {
  const lacks = table.filter(([has]) => !has(session)).map(([, line]) => line)
  if (session.has('draft/chathistory')) return ['no edits: a changed message is said again', ...lacks]
  const history = replays
    ? 'no CHATHISTORY: missed messages come from the replay when a channel is joined, missed private ones are lost'
    : 'no history: what is said while the connection is down is lost, and the gap is noted'
  return ['no edits: a changed message is said again', history, ...lacks]
}
