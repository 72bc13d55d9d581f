import type { Content, Draft } from '../../core/event.ts'
import type { Letter, NewLetter } from '../../core/ledger/out/inbox.ts'
import { clean, plain } from '../../core/text/text.ts'
import type { Vault } from '../../core/vault/secrets.ts'

/** What is kept of a draft: its words, and what programs read of it. */
interface Body {
  readonly by: string
  readonly text: string
  readonly data?: unknown
  readonly fault?: string
}

const box = 'inbox'

/** A draft as it is kept until it is read. What is secret is sealed again. */
export function letterOf(
  { network, delivery, channel }: Pick<NewLetter, 'network' | 'delivery' | 'channel'>,
  draft: Draft,
  vault: Vault,
): NewLetter {
  const { content, as, data, fault, secret, repeat } = draft
  const said = wordsOf(content, repeat)
  const body: Body = {
    by: as?.name ?? '',
    text: secret ? '' : said,
    ...(data === undefined ? {} : { data }),
    ...(fault === undefined ? {} : { fault }),
  }
  return {
    network,
    delivery,
    channel,
    reply: content.replyTo ?? null,
    body: JSON.stringify(body),
    sealed: secret ? vault.seal(box, said) : null,
  }
}

const wordsOf = (content: Content, repeat: true | undefined): string =>
  clean(`${repeat ? '(perhaps said before) ' : ''}${plain(content)}`)

/** What answers a request, put together. */
export interface Said {
  readonly lines: readonly string[]
  readonly data: unknown
  readonly fault: string | null
  readonly secrets: readonly string[]
}

export function saidIn(vault: Vault, letters: readonly Letter[]): Said {
  const bodies = letters.map(({ body }) => JSON.parse(body) as Body)
  const lines = bodies.flatMap(({ text }) => (text === '' ? [] : text.split('\n')))
  const secrets = letters.flatMap(({ sealed }) => (sealed === null ? [] : [vault.open(box, sealed)]))
  return {
    lines,
    secrets,
    data: bodies.find(({ data }) => data !== undefined)?.data,
    fault: bodies.find(({ fault }) => fault !== undefined)?.fault ?? null,
  }
}
