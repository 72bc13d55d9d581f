import { z } from 'zod'
import type { CommandContext } from '../../../core/command/command.ts'
import { ChanopError } from '../../../core/error.ts'
import { formatPlace, type Place, text } from '../../../core/event.ts'
import { type Fate, fatesOf } from '../../../core/ledger/out/deliveries.ts'
import { sleep } from '../../../core/retry.ts'
import { say } from '../../../core/say.ts'
import { duration, escapeInline, safeName } from '../../../core/text/text.ts'
import { type BridgeServices, declare } from '../services.ts'
import { name, roomRuled } from './rooms.ts'

/** The answer comes before a command's own time is over. */
const waitMs = 8000
const lookMs = 40

/** What became of the line in each place, once that is known everywhere or the time is over. */
async function fates({ ledger, signal }: CommandContext<BridgeServices>, seq: number): Promise<readonly Fate[]> {
  const endMs = Date.now() + waitMs
  for (;;) {
    const found = await ledger.read(tx => fatesOf(tx, seq, 100))
    if (found.every(({ settledMs }) => settledMs !== null) || Date.now() > endMs || signal.aborted) return found
    await sleep(lookMs, signal)
  }
}

function fateLine(place: Place, fate: Fate | undefined, startMs: number, prefix: string): string {
  const where = escapeInline(formatPlace(place))
  if (fate?.state === 'sent')
    return `${where} · there after ${duration(Math.max(1, (fate.settledMs ?? startMs) - startMs))}`
  if (fate?.state === 'failed') return `${where} · not there: ${fate.error ?? 'no reason is known'}`
  return `${where} · not there yet${fate?.error ? `: ${fate.error}` : ''}; ${prefix}networks tells why`
}

const test = declare({
  name: 'room test',
  summary: 'says a line in every place of a room, and whether it arrived',
  role: 'operator',
  scope: 'room',
  reply: 'public',
  mutates: true,
  args: z.object({ name }),
  examples: [['!room test nothing', /^no room nothing/, 'no room nothing; !rooms lists them']],
  async run(context, { name }) {
    const { services, ledger, caller, event } = context
    const { rooms } = services.bridge.context
    const { direction } = await roomRuled(context, name)
    const room = rooms.named(name)
    const places = room?.places.filter(place => direction[formatPlace(place)] !== 'in') ?? []
    if (places.length === 0)
      throw new ChanopError('conflict', `nothing is said in any place of ${name}: !room show ${name}`)
    const content = { ...text(`a test of the room ${name}, for ${safeName(caller.name)}`), style: 'notice' as const }
    const saying = { bot: 'bridge', content, in: { name, places }, key: `room.test.${event.seq}` }
    const startMs = Date.now()
    const seq = await ledger.write(tx => say(tx, saying, startMs))
    if (seq === null) return 'that test was made before; see what it said'
    const found = await fates(context, seq)
    const of = (place: Place): Fate | undefined => found.find(fate => formatPlace(fate.place) === formatPlace(place))
    return { lines: places.map(place => fateLine(place, of(place), startMs, context.settings.prefix)) }
  },
})

export const roomTestCommands = [test]
