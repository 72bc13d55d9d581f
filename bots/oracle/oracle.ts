import type { configSchema } from '../../config/schema.ts'
import type { BotContext } from '../../core/bot.ts'
import { hear, spoken } from '../../core/command/grammar.ts'
import { bots, isIgnored } from '../../core/command/desk.ts'
import { follow } from '../../core/consumer.ts'
import { type MessageEvent, type Place, text } from '../../core/event.ts'
import { advanceTo, cursorOf } from '../../core/ledger/consumers.ts'
import type { Stored } from '../../core/ledger/events.ts'
import { Rooms } from '../../core/rooms.ts'
import { say } from '../../core/say.ts'

const consumer = 'oracle.talk'
/** The same line is not said again in a place before this. */
const quietMs = 10 * 60_000

const names = new Map(bots.map(bot => [bot as string, bot as string]))

/** Whether somebody talks to the oracle: by name, or in a DM to it. */
function addressed(event: MessageEvent, prefix: string): boolean {
  if (event.sender.kind === 'self') return false
  const heard = hear(spoken(event.content), {
    prefix,
    bots: names,
    direct: event.place.private === true,
    to: event.to ?? null,
  })
  return heard !== null && !heard.prefixed && heard.to === 'oracle'
}

const missing = (prefix: string): string =>
  `I can't answer yet: no model is configured. Put one under models in config/chanop.yaml (config/example.yaml shows how), then ${prefix}config reload.`

/** Answers with a model; as long as there is none, says so in one clear line, seldom. */
export async function runOracle(context: BotContext<typeof configSchema>): Promise<void> {
  const { ledger, bus, log, signal, settings } = context
  const newest = ledger.newestSeq()
  const from = await ledger.write(db => cursorOf(db, consumer, newest))
  const told = new Map<string, number>()
  const answer = async ({ seq, event, room }: Stored<MessageEvent>, place: Place): Promise<void> => {
    const here = `${place.network}:${place.channel}`
    if (Date.now() - (told.get(here) ?? 0) < quietMs) return
    told.set(here, Date.now())
    const places = place.private ? [place] : new Rooms(settings.current.rooms).with(event.place)
    const content = text(missing(settings.current.commands.prefix))
    const named = room.includes(':') ? undefined : room
    await ledger.write(db => {
      say(db, { bot: 'oracle', content, places, room: named, key: `oracle.${seq}`, replySeq: seq }, Date.now())
      advanceTo(db, consumer, seq)
    })
  }
  context.ready()
  await follow(
    {
      ledger,
      bus,
      log,
      from,
      take: async batch => {
        for (const stored of batch) {
          const { event } = stored
          if (event.kind !== 'message' || Object.keys(settings.current.models).length > 0) continue
          if (!addressed(event, settings.current.commands.prefix) || isIgnored(settings.current.ignore, event)) continue
          const message = stored as Stored<MessageEvent>
          if (event.origin === 'live' && Date.now() - stored.receivedMs < 60_000) await answer(message, event.place)
        }
        ledger.mark(db => advanceTo(db, consumer, batch.at(-1)?.seq ?? 0))
      },
    },
    signal,
  )
}
