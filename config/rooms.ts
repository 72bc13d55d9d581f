/** The section `rooms`: which places are one conversation, and how what is said comes from one to the others. */

import { z } from 'zod'
import { nearest } from '../core/text/nearest.ts'
import { patternFault } from '../core/text/pattern.ts'
import { section } from '../core/zod.ts'

/** `network:channel`, split at the first colon. */
export const place = z.string().regex(/^[^:\s]+:\S+$/, 'write network:channel, e.g. irc:#general')

/** The same form of somebody on a network. */
export const account = z.string().regex(/^[^:\s]+:\S+$/, 'write network:account, e.g. irc:bob')

/** Channels with a `#` are compared without case, everywhere; other ids as they are. */
const channel = place.overwrite(written => (/^[^:]+:[#&+]/.test(written) ? written.toLowerCase() : written))

export const oracleMode = z.enum(['mention', 'all', 'off'])

/** In the notation of RE2, which takes no longer for a hostile text. */
const patternText = z
  .string()
  .min(1)
  .max(500)
  .superRefine((written, context) => {
    const fault = patternFault(written)
    if (fault !== null) context.addIssue({ code: 'custom', message: `this is no pattern of RE2: ${fault}` })
  })

export const room = z.strictObject({
  places: z.array(channel).min(1),
  /** Everyone may read an open room's history. */
  open: z.boolean().default(false),
  /** Relay joins and parts between the room's places. */
  joins: z.boolean().default(false),
  /** When the oracle speaks there: to who speaks to it, to everybody, or never. */
  oracle: oracleMode.default('mention'),
  /** Places that only give what is said there (`in`), or only hear the others (`out`). */
  direction: z.record(channel, z.enum(['in', 'out'])).default({}),
  /** Files are copied, shown as links, or named only. */
  files: z.enum(['copy', 'link', 'off']).default('copy'),
  /** Names stand with their network where they could be mistaken for another's, always or never. */
  names: z.enum(['auto', 'always', 'never']).default('auto'),
  /** `@everyone`, `@here` and the like may leave their network. */
  everyone: z.boolean().default(false),
  /** What is not passed on: by the name or `network:account` of who says it, and by what it says. */
  ignore: section({
    names: z.array(patternText).max(200).default([]),
    texts: z.array(patternText).max(200).default([]),
  }),
  /** Done to every text that is passed on, in this order. */
  replace: z
    .array(z.strictObject({ find: patternText, with: z.string().max(500) }))
    .max(100)
    .default([]),
})

interface Rooms {
  readonly networks: Readonly<Record<string, unknown>>
  readonly rooms: Readonly<Record<string, z.output<typeof room>>>
}

/** A place is in one room, or two conversations would run into each other; and its network is a configured one. */
export function checkRooms(config: Rooms, context: z.RefinementCtx): void {
  const holders = new Map<string, string>()
  for (const [name, { places, direction }] of Object.entries(config.rooms)) {
    for (const place of Object.keys(direction)) {
      if (places.includes(place)) continue
      const message = `${place} is no place of the room: ${places.join(', ')}`
      context.addIssue({ code: 'custom', path: ['rooms', name, 'direction', place], message })
    }
    for (const [at, place] of places.entries()) {
      const wrong = (message: string): void =>
        context.addIssue({ code: 'custom', path: ['rooms', name, 'places', at], message })
      const holder = holders.get(place)
      const network = place.slice(0, place.indexOf(':'))
      if (holder !== undefined) wrong(`${place} is in the room ${holder} already; a place is in one room, and once`)
      else if (!Object.hasOwn(config.networks, network)) wrong(missingNetwork(network, Object.keys(config.networks)))
      else if (place.startsWith(`${network}:@`)) wrong('a direct conversation is never bridged; name a channel')
      holders.set(place, name)
    }
  }
}

function missingNetwork(network: string, names: readonly string[]): string {
  const near = nearest(network, names)
  return `there is no network '${network}'; ${near ? `did you mean '${near}'?` : `networks are: ${names.join(', ') || 'none yet'}`}`
}
