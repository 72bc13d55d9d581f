import { z } from 'zod'
import { maySee, type Visible } from '../../../core/access/visibility.ts'
import { straight } from '../../../core/command/parse/grammar.ts'
import { named } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { given } from '../../../core/given.ts'
import { identitiesOf, personByName } from '../../../core/ledger/people/people.ts'
import { currentOf, type RecentMessage } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { escapeInline } from '../../../core/text/text.ts'
import { search as find, type Query, whoIs } from '../index/search.ts'
import { parseTerms, unsearchable } from '../index/words.ts'
import { declare } from '../services.ts'
import { isListing } from './listing.ts'
import { spanOf } from './moment.ts'
import { type Context, indexed, scopeOf, visibleTo } from './scope.ts'
import { shortData, shortLine } from './show.ts'

const shown = 20
const mostTerms = 16
const mostRounds = 10
const keys = ['from', 'in', 'since', 'until', 'bots'] as const
type Filters = { readonly [key in (typeof keys)[number]]?: string | undefined }

const filter = () => z.string().meta({ named: true }).optional()

/** Filters may also stand among or after the words; only whole words outside quotes are taken as such. */
function split(written: string): { words: string; filters: Filters } {
  const filters: Record<string, string> = {}
  const words = straight(written).replace(
    /"[^"]*(?:"|$)|(?<=^|\s)(from|in|since|until|bots)=(?:"([^"]*)"|(\S*))/gi,
    (whole, key?: string, quoted?: string, bare?: string) => {
      if (key === undefined) return whole
      filters[key.toLowerCase()] = quoted ?? bare ?? ''
      return ''
    },
  )
  return { words, filters }
}

interface Wish {
  readonly query: Query
  readonly visible: Visible
  readonly reply: 'public' | 'private'
}

function wishOf(db: Tx, context: Context, words: string, filters: Filters): Wish {
  const { services, atMs, event } = context
  const terms = parseTerms(words)
  if (terms.length > mostTerms) throw new ChanopError('usage', `at most ${mostTerms} words: leave some out`)
  const { from, since, until } = filters
  const scope = filters.in === undefined ? null : scopeOf(db, context, filters.in)
  const odd = unsearchable(words)
  if (terms.length === 0 && odd.length > 0 && from === undefined) {
    throw new ChanopError('usage', `${odd.join(' ').slice(0, 60)} can't be searched for: say words or numbers`)
  }
  if (terms.every(term => term.exclude) && from === undefined) {
    throw new ChanopError('usage', 'say what to look for: !search build failed, or !search from=alice')
  }
  const person = from === undefined ? null : personByName(db, from.replace(/^@/, ''))
  const query = {
    terms,
    before: event.seq,
    ...(from === undefined ? {} : { from: whoIs(services.index.db, from, person ? identitiesOf(db, person) : []) }),
    ...(scope ? { rooms: scope.names } : {}),
    ...spanOf(since, until, atMs),
  }
  return scope
    ? { query, visible: scope.visible, reply: scope.reply }
    : { query, visible: visibleTo(db, context, context.caller.place.private ? 'asker' : 'place'), reply: 'public' }
}

/** What is missing from the index while it is being made. */
function behind({ services, event }: Context): string {
  const missing = event.seq - 1 - services.index.cursor
  return missing > 1000 ? ` · the index is being made: ${Math.floor((services.index.cursor / event.seq) * 100)} %` : ''
}

/** The newest that fit, what bots answered left out unless it is wished for. */
async function hitsOf(
  db: Tx,
  { services: { index } }: Context,
  { query, visible }: Wish,
  bots: boolean,
): Promise<{ hits: RecentMessage[]; more: boolean }> {
  const hits: RecentMessage[] = []
  let before = query.before
  for (let n = 0; n < mostRounds; n++) {
    const found = await find(index.db, db, { ...query, ...given({ before }) }, visible, shown)
    for (const seq of found.seqs) {
      // The ledger has the last word: the index may be a moment behind it.
      const hit = currentOf(db, seq)
      if (!hit || hit.content === null || !maySee(visible, hit) || (!bots && isListing(db, hit, index.ear))) continue
      if (hits.length === shown) return { hits, more: true }
      hits.push(hit)
    }
    before = found.seqs.at(-1)
    if (!found.more || before === undefined) return { hits, more: false }
  }
  return { hits, more: true }
}

export const search = declare({
  name: 'search',
  summary: 'find messages by words, "phrases", -excluded words, who, where and when',
  role: 'guest',
  reply: 'public',
  args: z.object({
    from: filter().meta({ type: 'person' }),
    in: filter().meta({ type: 'room' }),
    since: filter(),
    until: filter(),
    bots: named(z.enum(['yes', 'no']), 'yes: with what bots answered to commands'),
    words: z.string().meta({ rest: true }).optional(),
  }),
  examples: [
    [
      '!search build failed',
      /^\d+ hits? · .*#\d+ </,
      '2 hits · 14:02 #31 <alice> the build failed again\n09:12 #7 <bob> build failed on arm64',
    ],
    ['!search "build failed" from=alice since=2d', /^\d+ hits?/, '1 hit · 14:02 #31 <alice> the build failed again'],
    ['!search nowheretobefound', /^no hits for nowheretobefound/, 'no hits for nowheretobefound'],
    ['!search in=general build -green', /^\d+ hits?/, '1 hit · 14:02 #31 <alice> the build failed again'],
  ],
  async run(context, { words: written = '', ...given }) {
    const { words, filters: among } = split(written)
    const filters = { ...given, ...among }
    return indexed(context, async db => {
      const wish = wishOf(db, context, words, filters)
      const { hits, more } = await hitsOf(db, context, wish, filters.bots === 'yes')
      const asked = escapeInline(
        [words.trim(), ...keys.map(key => filters[key] && `${key}=${filters[key]}`)].filter(Boolean).join(' '),
      )
      const odd = unsearchable(words)
      const without = odd.length > 0 ? ` · looked for without ${escapeInline(odd.join(' ').slice(0, 60))}` : ''
      const note = `${without}${behind(context)}`
      if (hits.length === 0) return { lines: [`no hits for ${asked}${note}`], reply: wish.reply }
      const rooms = new Set(hits.map(hit => hit.room)).size
      const lines = hits.map(hit => shortLine(db, hit, context.atMs, { room: rooms > 1 ? hit.room : undefined }))
      const count = `${hits.length}${more ? '+' : ''} hit${hits.length === 1 ? '' : 's'}${note}`
      const data = hits.map(hit => shortData(db, hit))
      return { lines: [`${count} · ${lines[0]}`, ...lines.slice(1)], data, reply: wish.reply }
    })
  },
})
