import { z } from 'zod'
import { maySee } from '../../../core/access/visibility.ts'
import { named, nameOf } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import type { RecentMessage } from '../../../core/ledger/record/events.ts'
import { declare } from '../services.ts'
import { isListing, newestOf } from './listing.ts'
import { scopeOf } from './scope.ts'
import { shortData, shortLine } from './show.ts'

/** `last 5 ops`, `last ops`: the number may be left out. */
const most = 50
const usual = 5
/** More than this goes on with `more`. */
const atOnce = 10

export const last = declare({
  name: 'last',
  summary: 'the newest messages of this room, or of another one you are in',
  role: 'guest',
  reply: 'public',
  args: z.object({
    n: z.string().meta({ type: 'integer', min: 1, max: most }).optional(),
    room: nameOf('room').optional(),
    bots: named(z.enum(['yes', 'no']), 'yes: with what bots answered to commands'),
  }),
  examples: [
    ['!last', /#\d+ <\w+> /, '14:02 #31 <alice> the build failed again\n14:03 #32 <bob> looking'],
    ['!last 2', /^\S.* #\d+ <.*\n\S.* #\d+ </, '14:02 #31 <alice> the build failed again\n14:03 #32 <bob> looking'],
    ['!last 2 general', /#\d+ </, '14:02 #31 <alice> the build failed again\n14:03 #32 <bob> looking'],
  ],
  async run(context, { n, room, bots }) {
    const isRoom = n !== undefined && !/^[-+.,]?\p{N}/u.test(n)
    const limit = n === undefined || isRoom ? usual : /^\+?\d+$/.test(n) ? Number(n) : Number.NaN
    if (!(limit >= 1 && limit <= most))
      throw new ChanopError('usage', `last ${n?.slice(0, 20)}: write a number from 1 to ${most}`)
    return context.ledger.read(db => {
      const { names, visible, reply, room: found } = scopeOf(db, context, isRoom ? n : room)
      const wanted = (message: RecentMessage): boolean =>
        maySee(visible, message) && (bots === 'yes' || !isListing(db, message, context.services.index.ear))
      const messages = names
        .flatMap(name => newestOf(db, name, { limit, before: context.event.seq }, wanted))
        .sort((a, b) => a.seq - b.seq)
        .slice(-limit)
      if (messages.length === 0) return { lines: [`nothing was said in ${found.name} yet`], reply }
      const data = messages.map(message => shortData(db, message))
      const lines = messages.map(message => shortLine(db, message, context.atMs, { full: true }))
      return { lines, data, reply, page: { from: 0, size: Math.max(context.settings.lines, atOnce) } }
    })
  },
})
