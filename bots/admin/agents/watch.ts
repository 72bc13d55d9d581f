import type { Context } from '../../../config/context.ts'
import { text, type UserId } from '../../../core/event.ts'
import { type Agent, agentOf, mayBe, mayEnter } from '../../../core/ledger/agents/agents.ts'
import { enqueue } from '../../../core/ledger/out/deliveries.ts'
import { type NewOrder, placeOrder } from '../../../core/ledger/out/orders.ts'
import { channelsWith } from '../../../core/ledger/people/members.ts'
import type { Stored } from '../../../core/ledger/record/events.ts'
import { keysBehind } from '../../../core/ledger/settings/api-keys.ts'
import { advanceTo } from '../../../core/ledger/settings/consumers.ts'
import { networkStatuses } from '../../../core/ledger/settings/networks.ts'
import { storeSetting } from '../../../core/ledger/settings/settings.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { BotContext } from '../../../core/process/bot.ts'
import { duration } from '../../../core/text/text.ts'
import { announce } from '../say.ts'
import { Meter } from './meter.ts'

export const consumer = 'agents'
const muteMs = 60_000

interface Finding {
  readonly stored: Stored
  readonly agent: Agent
  readonly verdict: 'outside' | 'warn' | 'mute' | 'muted'
}

/** Holds agents to their engagements, from what the ledger hears: where they are, and how much they say. */
export class Watch {
  readonly #context: Context
  readonly #meter = new Meter()

  constructor(context: Context) {
    this.#context = context
  }

  async take(batch: readonly Stored[]): Promise<void> {
    const { ledger, settings, bus } = this.#context
    const findings = await ledger.read(tx => batch.flatMap(stored => this.#judge(tx, stored)))
    if (findings.length === 0) return
    const muted = findings.some(({ verdict }) => verdict === 'mute')
    await ledger.write(tx => {
      for (const finding of findings) this.#act(tx, finding)
      advanceTo(tx, consumer, batch.at(-1)?.seq ?? 0)
    })
    if (!muted) return
    await settings.reload()
    bus.signal('settings', { by: this.#context.name })
  }

  #judge(tx: Tx, stored: Stored): Finding[] {
    const { event } = stored
    const { sender, place } = event
    if (event.origin !== 'live' || !sender.verified || sender.kind === 'self') return []
    if (event.kind !== 'message' && !(event.kind === 'member' && event.change === 'join')) return []
    const agent = agentOf(tx, place.network, sender.id)
    if (!agent) return []
    const outside: Finding[] = mayBe(agent, place) ? [] : [{ stored, agent, verdict: 'outside' }]
    const mutedUntilMs = this.#mutedUntilMs(agent)
    if (mutedUntilMs > stored.receivedMs && event.kind === 'member')
      return [...outside, { stored, agent, verdict: 'muted' }]
    if (event.kind !== 'message' || mutedUntilMs > Date.now()) return outside
    const verdict = this.#meter.count(agent.name, agent.rate, stored.receivedMs)
    return verdict === 'fine' ? outside : [...outside, { stored, agent, verdict }]
  }

  #mutedUntilMs({ network, name }: Agent): number {
    const until = this.#context.settings.current.ignore[`${network}:${name}`]
    return until === null ? Number.POSITIVE_INFINITY : (until ?? 0)
  }

  #act(tx: Tx, { stored, agent, verdict }: Finding): void {
    const { event, seq } = stored
    const { name, rate } = agent
    const said = `more than ${rate.count} lines in ${duration(rate.perMs)}`
    const { channel } = event.place
    if (verdict === 'muted') silence(tx, agent, [channel], { seq, untilMs: this.#mutedUntilMs(agent) })
    else if (verdict === 'outside') putOut(tx, this.#context, agent, { channel, seq })
    else if (verdict === 'warn') this.#say(tx, stored, `${name}: ${said}: slow down, or you are muted for a minute`)
    else {
      mute(tx, this.#context, agent, seq)
      this.#say(tx, stored, `${name} is muted for a minute: ${said}, again`)
    }
  }

  #say(tx: Tx, { event, seq }: Stored, line: string): void {
    announce(tx, this.#context, this.#context.rooms.from(event.place), line, `agent.rate.${seq}`)
  }
}

/** Out of a channel that its engagement does not name; where the network can't do that, a line says so. */
export function putOut(
  tx: Tx,
  context: BotContext,
  agent: Agent,
  from: { channel: string; seq: number | string },
): void {
  const { channel, seq } = from
  const reason = `the engagement of ${agent.name} does not name ${channel}`
  const order: NewOrder = {
    key: `agent.out.${agent.name}.${channel}.${seq}`,
    network: agent.network,
    kind: 'place.kick',
    args: { channel, user: agent.name, reason },
  }
  const id = placeOrder(tx, order, Date.now())
  const place = { network: agent.network, channel: channel as never }
  const act = {
    do: 'send' as const,
    content: text(`${reason}: it should leave ({reason})`),
    as: { name: context.name },
  }
  enqueue(tx, { place, bot: context.name, act, waits: { order: id, result: 'failed' } }, Date.now())
}

/** Neither relayed nor obeyed for a while and, where the server knows how, heard in none of its channels either. */
function mute(tx: Tx, context: Context, { network, name }: Agent, seq: number): void {
  const untilMs = Date.now() + muteMs
  const accounts = [`${network}:${name}`, ...keysBehind(tx, { network, user: name })]
  const muted = Object.fromEntries(accounts.map(account => [account, untilMs]))
  const current = { ...context.settings.in(tx).ignore, ...muted }
  storeSetting(tx, 'ignore', current, context.name, Date.now())
  const channels = channelsWith(tx, [{ network, user: name as UserId }]).map(({ channel }) => channel)
  silence(tx, { network, name }, channels, { seq, untilMs })
}

/** Not heard in these channels until then, by their server. */
function silence(
  tx: Tx,
  { network, name }: Pick<Agent, 'network' | 'name'>,
  channels: readonly string[],
  { seq, untilMs }: { seq: number; untilMs: number },
): void {
  const server = networkStatuses(tx).find(each => each.network === network)?.server ?? ''
  const ban = muteBan(server, name)
  if (ban === null) return
  const mode = (channel: string, modes: string, notBeforeMs: number): void => {
    const key = `agent.mute.${name}.${seq}.${channel}.${modes.charAt(0)}`
    placeOrder(tx, { key, network, kind: 'place.mode', args: { channel, modes }, notBeforeMs }, Date.now())
  }
  for (const channel of channels) {
    mode(channel, `+b ${ban}`, 0)
    if (Number.isFinite(untilMs)) mode(channel, `-b ${ban}`, untilMs)
  }
}

/**
 * The ban `m:` of both servers lets an account stay and not speak, whatever its nick: InspIRCd joins it with its ban on an
 * account, and on an Ergo of ours the nick is the account. Null: this server has none that we know.
 */
function muteBan(server: string, account: string): string | null {
  if (/inspircd/i.test(server)) return `m:R:${account}`
  return /ergo/i.test(server) ? `m:${account}!*@*` : null
}

/** Where an agent is now although its engagement does not name it. */
export const outsideOf = (tx: Tx, { network, name, channels }: Agent): string[] =>
  channelsWith(tx, [{ network, user: name as UserId }])
    .map(({ channel }) => channel as string)
    .filter(channel => !mayEnter({ channels }, channel))
