import type { configSchema } from '../../config/schema.ts'
import type { BotContext } from '../../core/bot.ts'
import { isIgnored, openDesk } from '../../core/command/desk.ts'
import { freshMs } from '../../core/command/gate.ts'
import { follow } from '../../core/consumer.ts'
import { formatPlace, type MessageEvent, type Place, text } from '../../core/event.ts'
import { advanceTo, cursorOf } from '../../core/ledger/consumers.ts'
import type { Stored } from '../../core/ledger/events.ts'
import { Rooms } from '../../core/rooms.ts'
import { say } from '../../core/say.ts'
import { addressed } from './addressed.ts'
import { oracleCommands } from './commands/all.ts'
import { ConfiguredModels } from './models/models.ts'

const consumer = 'oracle.talk'
/** The same line is not said again in a room before this. */
const quietMs = 10 * 60_000
const saveMs = 2000

const missing = (prefix: string): string =>
  `I can't answer yet: no model is configured. Put one under models in config/chanop.yaml (config/example.yaml shows how), then ${prefix}config reload.`

const openModels = (context: BotContext<typeof configSchema>): Promise<ConfiguredModels> =>
  ConfiguredModels.open({ ...context, bot: context.name, config: () => context.settings.current })

/** Answers with a model; as long as there is none, says so in one clear line, seldom. */
export async function runOracle(context: BotContext<typeof configSchema>): Promise<void> {
  const { ledger, bus, log, signal, settings } = context
  const models = await openModels(context)
  const { served } = await openDesk(context, { commands: oracleCommands, services: { context, configured: models } })
  const newest = ledger.newestSeq()
  const from = await ledger.write(db => cursorOf(db, consumer, newest))
  const told = new Map<string, number>()
  const answer = async ({ seq, event, room }: Stored<MessageEvent>, place: Place): Promise<void> => {
    const here = place.private ? formatPlace(place) : room
    const nowMs = Date.now()
    for (const [where, atMs] of told) if (nowMs - atMs > quietMs) told.delete(where)
    if (told.has(here)) return
    const places = place.private ? [place] : new Rooms(settings.current.rooms).with(event.place)
    const content = text(missing(settings.current.commands.prefix))
    const named = room.includes(':') ? undefined : room
    await ledger.write(db => {
      say(db, { bot: 'oracle', content, places, room: named, key: `oracle.${seq}`, replySeq: seq }, Date.now())
      advanceTo(db, consumer, seq)
    })
    told.set(here, nowMs)
  }
  let read = from
  let saved = from
  // Reading plain talk twice after a crash costs nothing: its cursor needs no commit of its own.
  const saving = setInterval(() => {
    if (read === saved) return
    try {
      ledger.mark(db => advanceTo(db, consumer, read))
      saved = read
    } catch (error) {
      log.warn({ error }, 'how far the talk was read could not be kept; it is tried again')
    }
  }, saveMs)
  signal.addEventListener('abort', () => clearInterval(saving), { once: true })
  context.ready()
  const following = follow(
    {
      ledger,
      bus,
      log,
      from,
      take: async batch => {
        for (const stored of batch) {
          const { event } = stored
          if (event.kind !== 'message' || Object.keys(settings.current.models).length > 0) continue
          if (event.origin !== 'live' || Date.now() - stored.receivedMs > freshMs) continue
          if (isIgnored(settings.current.ignore, event)) continue
          const talk = await ledger.read(db => addressed(db, event, settings.current.commands.prefix))
          if (talk) await answer(stored as Stored<MessageEvent>, event.place)
        }
        read = batch.at(-1)?.seq ?? read
      },
    },
    signal,
  )
  await Promise.all([served, following])
}
