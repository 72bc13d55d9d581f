/** For suites: what a platform gives its adapter, as the adapter reads it. */
import assert from 'node:assert/strict'
import { Directory } from '../../adapters/discord/guild/directory.ts'
import { contentOf as fromDiscord } from '../../adapters/discord/inbound.ts'
import { parseFormat } from '../../adapters/irc/text/format.ts'
import { factsOf } from '../../adapters/matrix/inbound.ts'
import { contentOf as fromSlack } from '../../adapters/slack/in/content.ts'
import { contentOf as fromTelegram } from '../../adapters/telegram/in/content.ts'
import type { Content } from '../../core/event.ts'
import { silentLog } from '../../core/log.ts'

type Json = Readonly<Record<string, unknown>>

export const discord = (native: Json): Content =>
  fromDiscord(
    {
      network: 'dc' as never,
      directory: new Directory(),
      cdn: '',
      isPlace: () => false,
      webhook: () => 'other',
      log: silentLog(),
    },
    null,
    {
      id: '1',
      channel_id: '2',
      type: 0,
      content: '',
      author: { id: '3', username: 'eve' },
      attachments: [],
      ...native,
    } as never,
  )
export const slack = (native: Json): Content =>
  fromSlack(native, { person: () => 'eve', channel: () => 'general', isSelf: () => false })
export const telegram = (native: Json): Content =>
  fromTelegram({ message_id: 1, date: 1, chat: { id: -1, type: 'supergroup', title: 't' }, ...native } as never, {
    names: { self: { id: 1, username: 'us' }, idOf: () => undefined },
    messageId: () => '1' as never,
    commandOf: () => undefined,
  })
export const matrix = (content: Json, type = 'm.room.message'): Content => {
  const event = {
    type,
    event_id: '$1',
    sender: '@eve:x',
    origin_server_ts: 1,
    content: { msgtype: 'm.text', ...content },
  }
  const heard = {
    network: 'mx' as never,
    me: '@us:x',
    myNames: [],
    place: { network: 'mx' as never, channel: '!a' as never },
    origin: 'live' as const,
    name: () => null,
    given: () => undefined,
  }
  const [fact] = factsOf(event as never, heard)
  assert.ok(fact?.kind === 'message')
  return fact.content
}
export const irc = (line: string): Content => ({ segments: parseFormat(line) })
export const html = (formatted_body: string, body = 'fallback'): Content =>
  matrix({ body, format: 'org.matrix.custom.html', formatted_body })
export const rich = (...elements: readonly Json[]): Content =>
  slack({ blocks: [{ type: 'rich_text', elements }], text: 'fallback' })
export const row = (...elements: readonly Json[]): Json => ({ type: 'rich_text_section', elements })
