/** For tests: a house in which the oracle answers with a scripted model. */
import type { MemoryPlatform } from '../../adapters/memory/platform.ts'
import { type Turn, turnById } from '../../core/ledger/oracle/turns.ts'
import { type Closing, House } from '../../test/house.ts'
import { runAdmin } from '../admin/admin.ts'
import { runBridge } from '../bridge/run.ts'
import type { ModelRequest } from './models/contract.ts'
import { ScriptedModels, type Step } from './models/testing.ts'
import { runOracle } from './oracle.ts'

export interface WorldOptions {
  /** More of the configuration, e.g. `oracle: { followUps: merge }`. */
  readonly more?: string
  /** Settings of the room `general`. */
  readonly general?: string
}

const config = ({ more = '', general = '' }: WorldOptions): string => `
owner: chat:olga
networks:
  chat: { kind: memory, server: '{server}-a', channels: ['#general', '#ops', '#den'] }
  plain: { kind: memory, server: '{server}-b', channels: ['#general'], edits: false }
rooms:
  general: { places: ['chat:#general', 'plain:#general'], open: true${general} }
  ops: { places: ['chat:#ops'] }
  den: { places: ['chat:#den'] }
commands: { perMinute: 6000, burst: 1000 }
${more}
`

export interface World {
  readonly house: House
  /** Where messages can be edited, and where they can't. */
  readonly a: MemoryPlatform
  readonly b: MemoryPlatform
  readonly models: ScriptedModels
  readonly stopOracle: () => Promise<void>
  readonly startOracle: () => Promise<() => Promise<void>>
}

/** What was asked, the last line of the prompt. */
export const questionOf = (request: ModelRequest): string => {
  const last = request.messages.at(-1)?.content
  return typeof last === 'string' ? (last.split('\n').at(-1) ?? '') : ''
}

/** Everything that a request gives to the model. */
export const promptOf = (request: ModelRequest): string =>
  request.messages.map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content))).join('\n')

export async function openWorld(
  t: Closing,
  script: (request: ModelRequest) => readonly Step[],
  options: WorldOptions = {},
): Promise<World> {
  const house = new House(t, { config: config(options) })
  const models = new ScriptedModels(script)
  await house.run('bridge', runBridge)
  await house.run('admin', context => runAdmin(context))
  const startOracle = () => house.run('oracle', context => runOracle(context, { models, mindFolder: house.dataDir }))
  const stopOracle = await startOracle()
  const [a, b] = [house.server('a'), house.server('b')]
  await Promise.all([a.ready(), b.ready()])
  return { house, a, b, models, stopOracle, startOracle }
}

export const turnsIn = (house: House): Promise<Turn[]> =>
  house.ledger.read(tx => {
    const found: Turn[] = []
    for (let id = 1, turn = turnById(tx, id); turn; turn = turnById(tx, ++id)) found.push(turn)
    return found
  })

/** What the oracle said in a channel, as it reads now. */
export const answers = (server: MemoryPlatform, channel = '#general'): string[] =>
  server
    .channel(channel)
    .messages.filter(({ name, deleted }) => name === 'oracle' && !deleted)
    .map(({ text }) => text)
