import { z } from 'zod'
import type { Config } from '../../../config/schema.ts'
import { mayBeIn } from '../../../core/access/admission.ts'
import { anybody, changes } from '../../../core/command/command.ts'
import { hidden } from '../../../core/command/help/help.ts'
import { readPublished } from '../../../core/command/help/published.ts'
import { nameOf, rest } from '../../../core/command/parse/values.ts'
import { refusal } from '../../../core/command/visit/gate.ts'
import { ChanopError } from '../../../core/error.ts'
import { formatPlace } from '../../../core/event.ts'
import { recentTries } from '../../../core/ledger/oracle/tries.ts'
import { identitiesOf } from '../../../core/ledger/people/people.ts'
import { networkStatuses, waiting } from '../../../core/ledger/settings/networks.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { bots } from '../../../core/process/bots.ts'
import { ago, duration, escapeInline, size } from '../../../core/text/text.ts'
import { bridgeSilent, networkLine, silentMs, tellable, withoutLogins } from '../networks.ts'
import { announce, roomMeant } from '../say.ts'
import { type Context, declare } from '../services.ts'

const whoami = declare({
  name: 'whoami',
  summary: 'who you are here, and what that allows',
  ...anybody,
  reply: 'private',
  examples: [
    [
      '!whoami',
      /account \w+ · owner\nallows all \d+ commands/,
      'alice · account alice · owner\nallows all 112 commands: !help\nrooms: general, ops',
    ],
  ],
  async run(context) {
    const { caller, ledger } = context
    const allows = await allowedLines(context)
    if (!caller.verified) {
      const line = `${escapeInline(caller.name)} · nobody vouches for you here: log in to your account to be more than a guest`
      return { lines: [line, ...allows] }
    }
    const { person } = caller
    const linked = person ? await ledger.read(db => identitiesOf(db, person)) : []
    const others = linked.filter(({ network, user }) => network !== caller.network || user !== caller.account)
    const also =
      others.length > 0 ? ` · also ${others.map(({ network, user }) => `${network}:${user}`).join(', ')}` : ''
    const here = caller.role === caller.globalRole ? '' : ` (${caller.role} in ${caller.room})`
    return {
      lines: [
        `${escapeInline(caller.name)} · account ${caller.account} · ${caller.globalRole}${here}${also}`,
        ...allows,
      ],
      data: {
        account: `${caller.network}:${caller.account}`,
        role: caller.globalRole,
        roleHere: caller.role,
        accounts: linked,
      },
    }
  },
})

const shownRooms = 8

/** What somebody may say here, and the rooms of this network that let them in. */
async function allowedLines({ caller, services, ledger, event, settings, atMs }: Context): Promise<string[]> {
  const { rooms } = services.context
  const who = { network: caller.network, sender: event.event.sender }
  return ledger.read(tx => {
    const all = readPublished(tx)
    const may = all.filter(one => refusal(one, caller, atMs) === null).length
    const count = may === all.length ? `all ${may} commands` : `${may} of ${all.length} commands`
    const more = hidden(all, caller)
    const entered = rooms
      .all()
      .filter(({ places }) =>
        places.some(place => place.network === caller.network && mayBeIn(tx, rooms, place, who, atMs)),
      )
      .map(({ name }) => escapeInline(name))
    const cut = entered.length > shownRooms ? `, and ${entered.length - shownRooms} more: ${settings.prefix}rooms` : ''
    return [
      `allows ${count}: ${settings.prefix}help${more === '' ? '' : ` · ${more}`}`,
      ...(entered.length > 0 ? [`rooms: ${entered.slice(0, shownRooms).join(', ')}${cut}`] : []),
    ]
  })
}

const status = declare({
  name: 'status',
  summary: 'how everything is, in a few lines',
  role: 'guest',
  reply: 'public',
  examples: [
    [
      '!status',
      /^up \S.* · admin ok/,
      'up 2h 5m · admin ok · bridge ok · oracle ok · scribe ok · redis ok · 419 MB\nirc up 2h · ergo-2.20.0',
    ],
  ],
  async run(asked) {
    const { services, ledger, atMs } = asked
    const { context, startedMs, beats } = services
    const states = bots.map(bot => {
      const beat = beats.get(bot)
      const known = bot === context.name || (beat && atMs - beat.atMs <= silentMs)
      return { bot, state: known ? 'ok' : context.bus.up ? 'silent' : 'unknown' }
    })
    const redis = context.bus.redisUp ? 'redis ok' : 'redis away (nothing is lost)'
    const deaf = bridgeSilent(services, atMs)
    const networks = await tellable(asked, await ledger.read(networkStatuses), 'public')
    const waits = (await ledger.read(tx => waiting(tx, atMs))).map(
      ({ network, queued, oldestMs }) => `${network}: ${queued} wait, oldest ${duration(atMs - oldestMs)}`,
    )
    const memory = [...beats.values()].reduce((sum, beat) => sum + beat.rssBytes, 0)
    const first = [
      `up ${duration(atMs - startedMs, 2)}`,
      ...states.map(({ bot, state }) => `${bot} ${state}`),
      redis,
      ...(memory > 0 ? [size(memory)] : []),
    ]
    const models = await ledger.read(tx => modelLine(tx, context.settings.current, atMs))
    const locked = context.vault.locked ? [`vault locked: ${context.vault.locked}`] : []
    const networkLines = networks.map(entry => networkLine(entry, atMs, deaf))
    const data = {
      upMs: atMs - startedMs,
      bots: states,
      redis: context.bus.up,
      memoryBytes: memory,
      networks: networks.map(withoutLogins),
      models,
      waiting: waits,
    }
    return { lines: [first.join(' · '), ...networkLines, models, ...waits, ...locked], data }
  },
})

/** `models mini ok 2m ago, maxi asks to wait (429) 5m ago`, or what to do to have one. */
function modelLine(tx: Tx, { models, commands }: Pick<Config, 'models' | 'commands'>, nowMs: number): string {
  const on = Object.entries(models)
    .filter(([, model]) => model.on)
    .map(([name]) => name)
  if (on.length === 0) return `no model is on: ${commands.prefix}model add, in a direct message to oracle`
  const newest = recentTries(tx, 100)
  const shown = on.map(name => {
    const last = newest.find(one => one.model === name && one.booked && one.outcome !== 'aborted')
    if (!last) return name
    return `${name} ${last.error === null ? 'ok' : escapeInline(last.error)} ${ago(last.atMs, nowMs)}`
  })
  return `models ${shown.join(', ')}`
}

const doctor = declare({
  name: 'doctor',
  summary: 'checks each part with what the start uses',
  role: 'operator',
  reply: 'private',
  examples: [['!doctor', /.+/, '✓ redis: answers\n✓ irc server: answers']],
  async run({ services, signal }) {
    const report = await services.program(['scripts/doctor.ts'], signal)
    const lines = report
      .split('\n')
      .map(line => escapeInline(line.trim()))
      .filter(line => line !== '')
    return { lines }
  },
})

const version = declare({
  name: 'version',
  summary: 'which release this is',
  ...anybody,
  reply: 'public',
  examples: [['!version', /^chanop \d+\.\d+\.\d+ · node \d+/, 'chanop 0.1.0 · node 24.21.0']],
  run: async ({ services: { version } }) => ({
    lines: [`chanop ${version} · node ${process.versions.node}`],
    data: { chanop: version, node: process.versions.node },
  }),
})

const restart = declare({
  name: 'restart',
  summary: 'restarts one bot; its nick stays',
  ...changes('operator'),
  args: z.object({ bot: z.enum(bots) }),
  examples: [['!restart oracle', 'oracle restarts']],
  async run({ services, atMs }, { bot }) {
    const beat = services.beats.get(bot)
    const was = beat ? ` (was pid ${beat.pid}, last heard ${ago(beat.atMs, atMs)})` : ''
    return { lines: [`${bot} restarts${was}`], committed: () => services.restart(bot) }
  },
})

const say = declare({
  name: 'say',
  summary: 'says something as admin in a room or channel',
  role: 'operator',
  reply: 'private',
  mutates: true,
  args: z.object({
    where: nameOf('place').describe('a room, or a channel'),
    text: rest(),
  }),
  examples: [['!say #ops the disk was changed', /said in irc:#ops$/, 'said in irc:#ops']],
  async run({ services, caller, event }, { where, text }) {
    const room = roomMeant(services.context, where, caller.network)
    if (!room)
      throw new ChanopError(
        'not-found',
        `no room or channel ${where.slice(0, 60)}; !rooms lists them, and network:channel names any`,
      )
    return {
      lines: [`said in ${room.places.map(formatPlace).join(', ')}`],
      effect: db => announce(db, services.context, room, text, `admin.said.${event.seq}`),
    }
  },
})

export const about = [whoami, status, doctor, version, restart, say]
