import { z } from 'zod'
import { ChanopError } from '../../../core/error.ts'
import { currentOf } from '../../../core/ledger/events.ts'
import { identitiesOf, personByName } from '../../../core/ledger/people.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { escapeInline } from '../../../core/text.ts'
import { maySee, type Visible } from '../../../core/visibility.ts'
import { search as find, type Query, whoIs } from '../index/search.ts'
import { parseTerms } from '../index/words.ts'
import { declare } from '../services.ts'
import { spanOf } from './moment.ts'
import { type Context, indexed, scopeOf, visibleTo } from './scope.ts'
import { shortData, shortLine } from './show.ts'

const shown = 20
const mostTerms = 16
const keys = ['from', 'in', 'since', 'until'] as const
type Filters = { readonly [key in (typeof keys)[number]]?: string | undefined }

const filter = () => z.string().meta({ named: true }).optional()

/** Filters may also stand among or after the words; only whole words outside quotes are taken as such. */
function split(written: string): { words: string; filters: Filters } {
  const filters: Record<string, string> = {}
  const words = written.replace(
    /"[^"]*(?:"|$)|(?<=^|\s)(from|in|since|until)=(?:"([^"]*)"|(\S*))/gi,
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
  if (terms.every(term => term.exclude) && from === undefined) {
    throw new ChanopError('usage', 'say what to look for: search build failed, or search from=alice')
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
  async run(context, { words: written = '', ...named }) {
    const { words, filters } = split(written)
    return indexed(context, async db => {
      const wish = wishOf(db, context, words, { ...named, ...filters })
      const { seqs, more } = await find(context.services.index.db, db, wish.query, wish.visible, shown)
      // The ledger has the last word: the index may be a moment behind it.
      const hits = seqs
        .map(seq => currentOf(db, seq))
        .filter(hit => hit !== null)
        .filter(hit => hit.content !== null && maySee(wish.visible, hit))
      const asked = escapeInline(
        [words.trim(), ...keys.map(key => filters[key] && `${key}=${filters[key]}`)].filter(Boolean).join(' '),
      )
      if (hits.length === 0) return { lines: [`no hits for ${asked}${behind(context)}`], reply: wish.reply }
      const rooms = new Set(hits.map(hit => hit.room)).size
      const lines = hits.map(hit => shortLine(db, hit, context.atMs, rooms > 1 ? hit.room : undefined))
      const count = `${hits.length}${more ? '+' : ''} hit${hits.length === 1 ? '' : 's'}${behind(context)}`
      const data = hits.map(hit => shortData(db, hit))
      return { lines: [`${count} · ${lines[0]}`, ...lines.slice(1)], data, reply: wish.reply }
    })
  },
})
