import type { Sender, UserId } from '../../core/event.ts'
import { isRecord } from '../../core/loose.ts'
import { Recent } from '../../core/recent.ts'
import { sleep } from '../../core/retry.ts'
import type { Api } from './link/api.ts'
import { isRefused } from './link/fault.ts'
import { flag, type Native, part, str } from './native.ts'

const mostKnown = 5000
const freshMs = 3_600_000
/** A name that can't be had at once is an id this time, and for a while: nothing waits longer for it. */
const patienceMs = 2500
const briefMs = 10_000

export interface Person {
  readonly name: string
  readonly avatar?: string
  readonly bot: boolean
  /** The workspace whose account it is, and its organisation. */
  readonly teams: readonly string[]
}

interface Known {
  readonly person: Person
  readonly untilMs: number
}

const pictureOf = (images: Native): { avatar?: string } => {
  const found = ['image_192', 'image_72', 'image_48'].map(size => str(images, size)).find(url => url !== '')
  return found?.startsWith('https://') ? { avatar: found } : {}
}

/** Somebody of whom the id alone is known. */
export const nameless = (id: string, bot = false): Person => ({ name: id, bot, teams: [] })

export function personOf(user: Native): Person {
  const profile = part(user, 'profile')
  const name = str(profile, 'display_name') || str(profile, 'real_name') || str(user, 'real_name') || str(user, 'name')
  return {
    name: name || str(user, 'id'),
    ...pictureOf(profile),
    bot: flag(user, 'is_bot') || str(user, 'id') === 'USLACKBOT',
    teams: [str(user, 'team_id'), str(part(user, 'enterprise_user'), 'enterprise_id')].filter(Boolean),
  }
}

/** Who people and bots are, asked once in a while: an hour each, one request for each at a time. */
export class People {
  readonly #api: Api
  readonly #signal: AbortSignal
  readonly #known = new Recent<string, Known>(mostKnown)
  readonly #asking = new Map<string, Promise<Person>>()

  constructor(api: Api, signal: AbortSignal) {
    this.#api = api
    this.#signal = signal
  }

  /** Never rejects. */
  get(id: string): Promise<Person> {
    const known = this.#known.get(id)
    if (known && known.untilMs > Date.now()) return Promise.resolve(known.person)
    let asking = this.#asking.get(id)
    if (!asking) {
      asking = this.#ask(id, known?.person).finally(() => this.#asking.delete(id))
      this.#asking.set(id, asking)
    }
    return asking
  }

  /** What is known without asking. */
  peek(id: string): Person | undefined {
    return this.#known.get(id)?.person
  }

  /** Notes what an event said of somebody; the person as they were before. */
  note(id: string, person: Person): Person | undefined {
    const before = this.#known.get(id)?.person
    this.#keep(id, person, freshMs)
    return before
  }

  async #ask(id: string, stale: Person | undefined): Promise<Person> {
    const bot = id.startsWith('B')
    const asked = bot
      ? this.#api.call('bots.info', { bot: id }).then(answer => botOf(part(answer, 'bot')))
      : this.#api.call('users.info', { user: id }).then(answer => personOf(part(answer, 'user')))
    const meanwhile = stale ?? nameless(id, bot)
    let late = true
    const kept = asked.then(
      person => this.#keep(id, person.name === '' ? { ...person, name: id } : person, freshMs),
      // Nobody of that id, or no scope for it: not asked again with every message.
      (error: unknown) => this.#keep(id, meanwhile, isRefused(error) ? freshMs : briefMs),
    )
    const answered = kept.finally(() => (late = false))
    const waited = sleep(patienceMs, this.#signal)
    return Promise.race([answered, waited.then(() => (late ? this.#keep(id, meanwhile, briefMs) : meanwhile))])
  }

  #keep(id: string, person: Person, forMs: number): Person {
    this.#known.set(id, { person, untilMs: Date.now() + forMs })
    return person
  }
}

const botOf = (bot: Native): Person => ({
  name: str(bot, 'name'),
  ...pictureOf(part(bot, 'icons')),
  bot: true,
  teams: [],
})

/** Who wrote a message: a person, an app, or a name that an app gave itself. */
export async function senderOf(
  message: Native,
  people: Pick<People, 'get'>,
  team: ReadonlySet<string>,
): Promise<Sender> {
  const user = str(message, 'user')
  const bot = str(message, 'bot_id')
  const profile = part(message, 'bot_profile')
  const known = user === '' ? null : await people.get(user)
  const named = str(message, 'username') || (bot === '' ? '' : str(profile, 'name')) || known?.name
  const name = named || (bot === '' ? '' : (await people.get(bot)).name) || user || bot || 'slack'
  const avatar = known?.avatar ?? pictureOf(isRecord(message['icons']) ? part(message, 'icons') : profile).avatar
  const outside = known !== null && isOutside(message, known, team)
  return {
    id: (user || bot || 'slack') as UserId,
    name,
    ...(avatar === undefined ? {} : { avatar }),
    kind: bot !== '' || user === '' || known?.bot ? 'bot' : 'person',
    // An account of another workspace, or a name without an account, is nobody whom this workspace vouches for.
    verified: (user !== '' || bot !== '') && !outside,
  }
}

function isOutside(message: Native, person: Person, team: ReadonlySet<string>): boolean {
  const from = [str(message, 'user_team'), ...person.teams].filter(Boolean)
  return from.length > 0 && !from.some(each => team.has(each))
}
