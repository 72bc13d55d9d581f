import { normalise, spoken } from '../../../core/command/parse/grammar.ts'
import { isTalk } from '../../../core/command/state/recipient.ts'
import type { Reader } from '../../../core/command/visit/reading.ts'
import type { MessageEvent } from '../../../core/event.ts'
import { groups } from '../../../core/ledger/people/groups.ts'
import { messageOf } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'

export const self = 'oracle'
/**
 * `oracle: …`, `oracle, …`, `@oracle …` at the beginning, or `@oracle` anywhere: with the signs of other scripts, and with none of what makes
 * another word of it (`bob@oracle.example`, `“@oracle …”`, `@oracle's`).
 */
const named =
  /^oracle\s?[:：]|^oracle[,，、،]|^@?oracle[?!？！]*$|(?<![\w.%+\-@/"'\u2018-\u201f`])@oracle(?![\w-]|\.\w|['\u2019]s\b)/i
/** `bob: …`, `bob, …`: somebody else is meant, if that is who. */
const called = /^([^\s:,：，@]{1,64})\s?[:,：，]/u

/** What a message is to the oracle. */
export type Address =
  /** A command, or another bot's: never talk. */
  | { readonly is: 'other' }
  /** Nobody in particular is meant, or somebody else. */
  | {
      readonly is: 'talk'
      readonly toOthers: boolean
      /** What it begins with, as people begin with a name: nobody's, perhaps. */
      readonly called: string | null
    }
  /** The oracle is spoken to. `strong`: by its name, not by a mere reply, which some platforms send by themselves. */
  | { readonly is: 'oracle'; readonly why: string; readonly strong: boolean; readonly words: string }

/** Whether somebody speaks to the oracle, and how. */
export function addressOf(tx: Tx, event: MessageEvent, reader: Reader): Address {
  if (event.asked || event.masked) return { is: 'other' }
  const { content, place, to } = event
  if (event.standalone) return { is: 'oracle', why: 'a program asked', strong: true, words: spoken(content) }
  const said = spoken(content)
  // What is shown as code is quoted too: nobody is called there.
  const calling = spoken({ segments: content.segments.filter(({ kind }) => kind !== 'code') })
  const heard = reader.hear(event)
  if (heard && (heard.prefixed || !isTalk(reader.read(tx, heard), [self]))) return { is: 'other' }
  const words = said.replace(/^@?oracle\s?[:,：，、،]?\s*/i, '').trim()
  const oracle = (why: string, strong: boolean): Address => ({ is: 'oracle', why, strong, words })
  // Where a platform knows us by one account only, what is said to it privately is said to the oracle.
  if (place.private) return to === undefined || to === self ? oracle('a direct message', true) : { is: 'other' }
  if (named.test(calling)) return oracle('it was named', true)
  if (mentions(event)) return oracle('it was mentioned', true)
  const group = groupWithOracle(tx, calling)
  if (group) return oracle(`the group @${group} holds it`, true)
  const answered = content.replyTo && messageOf(tx, place, content.replyTo)
  if (!answered) {
    const toOthers = said.startsWith('@') || mentionsOthers(event)
    return { is: 'talk', toOthers, called: called.exec(said)?.[1] ?? null }
  }
  const { sender } = answered.event
  if (sender.kind === 'self' && sender.name === self) return oracle('its own message was replied to', false)
  return { is: 'talk', toOthers: true, called: null }
}

const isOracle = (name: string): boolean => /^@?oracle$/i.test(normalise(name))

/** By its name, or by the one account that a platform knows us by. */
const mentions = ({ content }: MessageEvent): boolean =>
  content.segments.some(segment => segment.kind === 'mention' && (isOracle(segment.name) || isSelf(segment)))

const isSelf = (segment: object): boolean => 'self' in segment && segment.self === true

const mentionsOthers = ({ content }: MessageEvent): boolean => content.segments.some(({ kind }) => kind === 'mention')

function groupWithOracle(tx: Tx, said: string): string | null {
  const called = [...said.toLowerCase().matchAll(/(?:^|[\s(])@([a-z0-9][a-z0-9_-]*)/g)].map(
    ([, group]) => group as string,
  )
  if (called.length === 0) return null
  const all = groups(tx)
  return called.find(group => all.get(group)?.includes(self)) ?? null
}
