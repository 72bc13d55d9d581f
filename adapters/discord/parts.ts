import type { AdapterContext } from '../../core/adapter.ts'
import type { ChatEvent } from '../../core/event.ts'
import { Interactions } from './commands/interactions.ts'
import type { DiscordConfig } from './config.ts'
import { Following } from './following.ts'
import { Directory } from './guild/directory.ts'
import { Happenings } from './happenings.ts'
import type { Reader } from './inbound.ts'
import { Intake } from './intake.ts'
import { Quotes } from './out/quotes.ts'
import { SentBook } from './out/sent.ts'
import { Speech } from './out/speech.ts'
import { Threads } from './out/threads.ts'
import { Webhooks } from './out/webhooks.ts'
import { Catchup } from './past/catchup.ts'
import { Directs } from './past/directs.ts'
import { Seen } from './past/seen.ts'
import { Session } from './session.ts'
import { Status } from './status.ts'
import { Api } from './wire/api.ts'

export type Push = (events: readonly ChatEvent[]) => void

/** What an adapter is made of. */
export type Parts = ReturnType<typeof partsOf>

interface Hooks {
  readonly signal: AbortSignal
  readonly push: Push
}

export function partsOf(config: DiscordConfig, context: AdapterContext, { signal, push }: Hooks) {
  const { log, cursors, network, instance } = context
  const places = context.places.filter(place => place.network === network && !place.private)
  const directory = new Directory()
  const api = new Api({ api: config.api, signal })
  const named = places.map(({ channel }) => channel)
  const following = new Following(directory, config.guilds, config.channels, named)
  const status = new Status({ directory, following, changed: () => context.changed() })
  const webhooks = new Webhooks({ api, directory, log, on: config.webhooks })
  const reader: Reader = {
    network,
    directory,
    cdn: config.cdn,
    isPlace: channel => following.isPlace(channel),
    webhook: id => webhooks.kind(id),
    log,
  }
  const threads = new Threads(api, directory)
  const quotes = new Quotes(api, reader)
  const sent = new SentBook(cursors, log)
  const speech = new Speech({ api, directory, reader, threads, webhooks, quotes, sent, instance, log })
  const interactions = new Interactions({ api, reader, log })
  const directs = new Directs(cursors)
  const seen = new Seen()
  const happenings = new Happenings({ reader, following, changes: speech.changes })
  const signs: ConstructorParameters<typeof Intake>[0]['signs'] = some => void context.signs?.(some)
  const awaited: ConstructorParameters<typeof Intake>[0]['awaited'] = (told, root) => session.awaited(told, root)
  const read = { directory, following, reader, happenings, interactions, quotes, seen, directs }
  const intake = new Intake({ ...read, push, signs, awaited, log })
  const catchup = new Catchup({ api, reader, cursors, seen })
  const session = new Session({ api, directory, following, status, webhooks, intake, catchup, directs, log, signal })
  return { api, directory, following, status, threads, speech, interactions, directs, session }
}
