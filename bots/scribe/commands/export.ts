import { z } from 'zod'
import { named, nameOf } from '../../../core/command/parse/values.ts'
import { mustHoldIn } from '../../../core/command/visit/gate.ts'
import { asChanopError } from '../../../core/error.ts'
import { sleep } from '../../../core/retry.ts'
import { counted, escapeInline, size } from '../../../core/text/text.ts'
import type { Exported } from '../export/export.ts'
import { exportPath } from '../export/place.ts'
import { formatNames } from '../record/format.ts'
import { declare } from '../services.ts'
import { spanOf } from './moment.ts'
import { scopeOf } from './scope.ts'

/** Shorter than what a command has: whoever asked hears that it goes on. */
const patienceMs = 8000

const resultOf = ({ path, lines, sizeBytes, sha256 }: Exported): string[] => [
  `${escapeInline(path)} · ${counted(lines, 'line')}, ${size(sizeBytes)}`,
  `SHA-256 ${sha256}`,
]

export const exportRoom = declare({
  name: 'export',
  summary: "write a room's history to a file on the host, as it reads now",
  role: 'operator',
  scope: 'room',
  reply: 'public',
  args: z.object({
    room: nameOf('room'),
    format: z.enum(formatNames).default('jsonl').meta({ named: true }),
    since: named(z.string()),
    until: named(z.string()),
  }),
  examples: [
    [
      '!export general',
      /exports\/general-\S+\.jsonl · [\d,]+ lines?, .*\nSHA-256 [0-9a-f]{64}$/,
      `/home/you/chanop/data/exports/general-20260401T120000Z-eabc3e.jsonl · 980 lines, 212 kB\nSHA-256 ${'779a6d47'.repeat(8)}`,
    ],
    [
      '!export general format=csv since=7d',
      /\.csv · /,
      `/home/you/chanop/data/exports/general-20260401T120000Z-1c9f02.csv · 190 lines, 31 kB\nSHA-256 ${'5d41402a'.repeat(8)}`,
    ],
    ['!export nowhere', /no room 'nowhere' that you can see/, "no room 'nowhere' that you can see; !rooms lists them"],
  ],
  async run(context, { room: word, format, since, until }) {
    const { services, atMs, ledger, signal } = context
    const { room, names } = await ledger.read(db => {
      const scope = scopeOf(db, context, word)
      mustHoldIn(db, context.caller, scope.room.name, 'operator', atMs)
      return scope
    })
    const path = await exportPath(services.dataDir, room.name, format, atMs)
    const selection = { rooms: names, ...spanOf(since, until, atMs) }
    const { done, share } = services.exports.start({ selection, format, title: room.name, path })
    const early = await Promise.race([done, sleep(patienceMs, signal)])
    if (early) return { lines: resultOf(early) }
    done
      .then(resultOf, (error: unknown) => [escapeInline(`export ${room.name}: ${asChanopError(error).message}`)])
      .then(lines => services.report(context, lines))
      .catch(services.fault)
    const percent = Math.floor(share() * 100)
    return {
      lines: [`${percent} % of the export is done: where it is, and its SHA-256, is said here when it has ended`],
    }
  },
})
