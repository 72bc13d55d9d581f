import type { APIApplication } from 'discord.js'
import { ChanopError } from '../../../core/error.ts'
import { pastedToken } from '../../../core/vault/pasted.ts'
import type { Api } from './api.ts'

export function tokenOf(secret: string): string {
  const token = pastedToken(secret)
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return token
  throw new ChanopError(
    'network-refused',
    'this is no token of a Discord bot: one has three parts with dots between (an id, the public key and the client secret are none); copy it anew (developer portal, Bot, Reset Token)',
  )
}

/** Flags of an application that say which privileged intents it may use. */
const flags = { members: [14, 15], content: [18, 19] } as const

const isOn = (bits: number, [full, limited]: readonly [number, number]): boolean =>
  (bits & (1 << full)) !== 0 || (bits & (1 << limited)) !== 0

export interface Intents {
  readonly application: string
  readonly members: boolean
  readonly content: boolean
}

/** Which of the privileged intents are switched on. */
export async function intentsOf(api: Api): Promise<Intents> {
  const { id, flags: given } = await api.get<Partial<APIApplication> & { id: string }>('/applications/@me')
  const bits = given ?? 0
  return { application: id, members: isOn(bits, flags.members), content: isOn(bits, flags.content) }
}

export const portal = (application: string): string => `https://discord.com/developers/applications/${application}/bot`

export const contentSwitch = (application: string): string =>
  `switch on Message Content Intent at ${portal(application)} under Privileged Gateway Intents`
export const membersSwitch = (application: string): string =>
  `switch on Server Members Intent at ${portal(application)} under Privileged Gateway Intents`

/** Which switches to turn, after Discord refused the intents. */
export async function missingIntents(api: Api, members: boolean): Promise<string> {
  const known = await intentsOf(api).catch(() => null)
  const application = known?.application ?? 'APPLICATION'
  const also = members && known?.members !== true ? ' (and Server Members Intent, for joins and leaves)' : ''
  return `Discord refuses the intents: ${contentSwitch(application)}${also}, then connect again`
}
