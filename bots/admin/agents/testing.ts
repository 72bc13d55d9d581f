/** A house with the bridge, admin and its owner, for tests of what becomes of agents. */
import type { TestContext } from 'node:test'
import type { MemoryUser } from '../../../adapters/memory/person.ts'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import { type AgentState, agentNamed } from '../../../core/ledger/agents/agents.ts'
import { House, type HouseOptions } from '../../../test/house.ts'
import { runBridge } from '../../bridge/run.ts'
import { runAdmin } from '../admin.ts'

const room = '#general'

export class World {
  readonly house: House
  readonly server: MemoryPlatform
  readonly olga: MemoryUser

  private constructor(house: House) {
    this.house = house
    this.server = house.server('a')
    this.olga = this.server.user('olga')
    this.olga.join(room)
    this.olga.join('#ops')
  }

  static async open(t: TestContext, options: HouseOptions = {}): Promise<World> {
    const house = new House(t, options)
    await house.run('bridge', runBridge)
    await house.run('admin', runAdmin)
    await house.server('a').ready()
    return new World(house)
  }

  /** Says it as the owner in the room; resolves with the answer. */
  async says(words: string, answer: RegExp | string): Promise<string> {
    return (await this.olga.shouldReply(room, words, answer)).text
  }

  /** The same for what is confirmed. */
  async confirms(words: string, answer: RegExp | string): Promise<string> {
    await this.says(words, /!yes \w/)
    return this.says('!yes', answer)
  }

  /** The newest login in somebody's private place. */
  async login(name: string, who = this.olga, afterSeq = 0): Promise<string> {
    const { text } = await who.hears('@admin', `account=${name} password=`, afterSeq)
    return /password=(\S+)/.exec(text)?.[1] as string
  }

  async register(words: string): Promise<MemoryUser> {
    const { seq } = this.olga.say(room, `!register ${words}`)
    const name = words.split(' ')[0] as string
    await this.olga.hears(room, `${name} is registered`, seq)
    const agent = this.server.login(name, await this.login(name, this.olga, seq))
    return agent
  }

  async state(name: string): Promise<AgentState | undefined> {
    return (await this.house.ledger.read(db => agentNamed(db, name)))?.state
  }
}
