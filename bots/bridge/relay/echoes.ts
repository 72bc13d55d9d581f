import { formatPlace, type MessageEvent } from '../../../core/event.ts'
import { fold, plain } from '../../../core/text/text.ts'

/** What is said so soon after something may be a copy of it. */
const soonMs = 60_000
const mostKept = 200
/** What a relay puts before a text: a name, a network. */
const longestPrefix = 120
/** A person may quote somebody whole, once. */
const enough = 2

interface Heard {
  readonly atMs: number
  readonly by: string
  readonly name: string
  readonly text: string
}

/**
 * Notices relays of others by what they do: they repeat, with a name before it, what was just said in the room. A copy of
 * theirs that carried no mark would go round for ever. What they bring from elsewhere is no repetition.
 */
export class Echoes {
  readonly #heard = new Map<string, Heard[]>()
  readonly #repeats = new Map<string, number>()

  /**
   * Notes what is said in a room. `repeats`: it is not to be passed on; `first`: nobody was told of this relay yet.
   */
  note({ place, sender, content }: MessageEvent, room: string, nowMs: number): { repeats: boolean; first: boolean } {
    const by = `${formatPlace(place)}\n${sender.id}`
    const text = fold(plain(content))
    const heard = (this.#heard.get(room) ?? []).filter(({ atMs }) => nowMs - atMs < soonMs)
    const name = fold(sender.name)
    // Of people nothing is ever held back: two of one name may well say the same.
    const isBot = sender.kind === 'bot'
    const repeats = isBot && heard.some(before => before.by !== by && isCopy({ text, name }, before))
    this.#heard.set(room, [...heard.slice(1 - mostKept), { atMs: nowMs, by, name, text }])
    const before = this.#repeats.get(by) ?? 0
    if (!repeats) {
      if (before > 0 && before < enough) this.#repeats.delete(by)
      return { repeats: false, first: false }
    }
    this.#repeats.set(by, before + 1)
    return { repeats: true, first: before + 1 === enough }
  }
}

function isCopy(said: { text: string; name: string }, before: Heard): boolean {
  if (before.name.length < 2 || before.text === '' || !said.text.endsWith(before.text)) return false
  const prefix = said.text.slice(0, said.text.length - before.text.length)
  return prefix.length <= longestPrefix && `${prefix} ${said.name}`.includes(before.name)
}
