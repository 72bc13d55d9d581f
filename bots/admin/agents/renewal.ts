/** Engagements go on by themselves, and those that were taken back are published. */

import { agents, engaged, renewAgent } from '../../../core/ledger/agents/agents.ts'
import { groupsOf } from '../../../core/ledger/people/groups.ts'
import { forgetSerials, revokedSerials, serialsStamp } from '../../../core/ledger/people/serials.ts'
import type { BotContext } from '../../../core/process/bot.ts'
import { endsSoon, publish, type Signer } from './engagement.ts'

const everyMs = 3_600_000

/** Signs anew what ends soon although its agent stays; returns for how many. With a locked vault nothing can be signed. */
export async function renewEngagements({ ledger }: BotContext, signer: Signer, nowMs: number): Promise<number> {
  if (signer.publicKeys.keys.length === 0) return 0
  const due = await ledger.read(tx =>
    agents(tx)
      .filter(agent => engaged(agent, nowMs) && endsSoon(agent, nowMs))
      .map(agent => ({ agent, groups: groupsOf(tx, agent.name) })),
  )
  const renewed = await Promise.all(
    due.map(async ({ agent, groups }) => ({ agent, jws: await signer.sign(agent, groups, nowMs) })),
  )
  if (renewed.length === 0) return 0
  return ledger.write(tx => renewed.filter(({ agent, jws }) => renewAgent(tx, agent, jws)).length)
}

export class Renewal {
  readonly #context: BotContext
  readonly #signer: Signer
  #renewedMs = 0
  #stamp = ''

  constructor(context: BotContext, signer: Signer) {
    this.#context = context
    this.#signer = signer
  }

  async look(nowMs: number): Promise<void> {
    const { ledger, dataDir, instance } = this.#context
    if (nowMs - this.#renewedMs >= everyMs) {
      await renewEngagements(this.#context, this.#signer, nowMs)
      if ((await ledger.read(tx => serialsStamp(tx))) !== '0.0') await ledger.write(tx => forgetSerials(tx, nowMs))
      this.#renewedMs = nowMs
    }
    const { stamp, all } = await ledger.read(tx => {
      const now = serialsStamp(tx)
      return { stamp: now, all: now === this.#stamp ? [] : revokedSerials(tx, nowMs) }
    })
    if (stamp === this.#stamp) return
    const revoked = all.map(({ jti, untilMs }) => ({ jti, exp: Math.floor(untilMs / 1000) }))
    await publish(dataDir, 'revoked.json', { iss: instance, revoked })
    this.#stamp = stamp
  }
}
