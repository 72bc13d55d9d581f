/** Commands to the server, with what it answers to them. */
import { ChanopError } from '../../../core/error.ts'
import { type Line, lastParam } from '../text/line.ts'
import type { Session } from './session.ts'
import { isRefusal } from './settle.ts'

/** Already so: in the channel (443), not in it (441), gone (401). */
const settled = new Set(['441', '443'])

/** Which of the servers we run this is. */
export const isInspircd = (session: Session): boolean => /inspircd/i.test(session.server)

/** Says lines and collects what the server answers to them: a PING behind them shows when it has worked through. */
export async function command(session: Session, lines: readonly string[]): Promise<Line[]> {
  const token = `chanop-act-${Math.random().toString(36).slice(2)}`
  const answers: Line[] = []
  for (const line of lines) session.write(line)
  return session.ask(`PING :${token}`, line => {
    if (line.command === 'PONG' && lastParam(line) === token) return answers
    answers.push(line)
    return undefined
  })
}

/** The same, rejecting with the first refusal that is about `subject`: a channel, or a nick. */
export async function insist(session: Session, subject: string, lines: readonly string[]): Promise<Line[]> {
  const key = session.fold(subject)
  const answers = await command(session, lines)
  const no = answers.find(
    line =>
      isRefusal(line) &&
      !settled.has(line.command) &&
      (line.command === '472' || line.params.some(param => session.fold(param) === key)),
  )
  if (no) throw new ChanopError('send-refused', `the server refused it: ${lastParam(no)} (${no.command})`)
  return answers
}
