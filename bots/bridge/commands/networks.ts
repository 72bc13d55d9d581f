import { z } from 'zod'
import type { Command } from '../../../core/command/command.ts'
import { soonOrLater } from '../../../core/command/visit/later.ts'
import { reference } from '../../../core/config/fields.ts'
import { ChanopError } from '../../../core/error.ts'
import { formatPlace, type NetworkId } from '../../../core/event.ts'
import { backlog } from '../../../core/ledger/out/deliveries.ts'
import { dropNetworkDraft } from '../../../core/ledger/settings/network-drafts.ts'
import { dropSecret, listSecrets } from '../../../core/ledger/settings/secrets.ts'
import { overrides } from '../../../core/ledger/settings/settings.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { removed } from '../../../core/settings/settings-merge.ts'
import { probeLines, probeNetwork, secretNameOf } from '../networks/setup.ts'
import { type BridgeServices, declare } from '../services.ts'
import {
  type Context,
  draftNamed,
  networkNamed,
  refuseTwice,
  refuseUnheard,
  settingsOf,
  statusLine,
  storing,
  takeOver,
  tellHowItWent,
} from './network-words.ts'

const name = z.string().max(40)

const test = declare({
  name: 'network test',
  summary: 'looks at a network from outside: who we are, which switches are missing, which channels it sees',
  role: 'operator',
  reply: 'private',
  args: z.object({ name }),
  examples: [
    ['!network test irc', /^irc: we are /, 'irc: we are @chanop_bot in Acme · Bot API 10.2'],
    ['!network test libra', 'no network libra; did you mean libera?'],
  ],
  async run(context, { name }) {
    const config = await networkNamed(context, name)
    const bot = context.services.bridge.context
    const found = await soonOrLater({ bot, context, reply: 'private' }, name, async signal => {
      const probe = await probeNetwork(bot, name, config, {}, signal)
      const status = context.services.bridge.connections.statusOf(name)
      const now = statusLine(name, status, context.settings.prefix)
      return {
        lines: probe ? [...probeLines(name, probe), now] : [`${now} · a network of kind ${config.kind} shows no more`],
      }
    })
    return { ...found, page: { from: 0, size: 12 } }
  },
})

/** Whether some network is on, with one more off, as it is stored at this moment: two askers may each turn off the other's. */
function refuseNone(tx: Tx, context: Context, name: string): void {
  const off = new Set(
    overrides(tx)
      .filter(({ key, value }) => value === false && /^networks\.[^.]+\.on$/.test(key))
      .map(({ key }) => key.split('.')[1]),
  )
  const { networks } = settingsOf(context).current
  const left = Object.keys(networks).filter(other => other !== name && networks[other]?.on && !off.has(other))
  if (left.length === 0) throw new ChanopError('conflict', `${name} is the last that is on: nobody would be heard`)
}

const switching = (word: 'on' | 'off'): Command<BridgeServices> =>
  declare({
    name: `network ${word}`,
    summary:
      word === 'on' ? 'connects a network again that is off' : 'disconnects a network; what is said to it waits for it',
    role: 'operator',
    reply: 'public',
    mutates: true,
    args: z.object({ name }),
    examples: [
      word === 'on'
        ? ['!network on libera', 'libera is on already']
        : ['!network off irc', "irc is the server that Chanop runs, with everybody's accounts: it stays"],
    ],
    async run(context, { name }) {
      const config = await networkNamed(context, name)
      const { on } = config
      if (on === (word === 'on')) return `${name} is ${word} already`
      if (word === 'off') refuseUnheard(context, name, 'turn off')
      else await refuseTwice(context, name, config)
      const store = storing(context, { [`networks.${name}.on`]: word === 'on' })
      const hint = `${context.settings.prefix}network on ${name}`
      return {
        lines: [
          word === 'on'
            ? `${name} is being connected`
            : `${name} is turned off: what is said to it waits; ${hint} turns it on`,
        ],
        effect: tx => {
          if (word === 'off') refuseNone(tx, context, name)
          store(tx)
        },
        committed: async () => {
          await takeOver(context)
          if (word === 'on') tellHowItWent(context, name, 'public')
        },
      }
    },
  })

const reconnect = declare({
  name: 'network reconnect',
  summary: 'ends a connection and makes it anew',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({ name }),
  examples: [['!network reconnect irc', 'irc is being connected anew']],
  async run(context, { name }) {
    const { on } = await networkNamed(context, name)
    if (!on)
      throw new ChanopError('conflict', `${name} is off: ${context.settings.prefix}network on ${name} turns it on`)
    return {
      lines: [`${name} is being connected anew`],
      committed: () => tellHowItWent(context, name, 'public', true),
    }
  },
})

/** What goes with a network: its places, its rooms that have no other, its own secrets. */
function belongings(context: Context, name: string) {
  const { rooms } = settingsOf(context).current
  const here = context.services.bridge.context.rooms.onNetwork(name)
  const gone = new Set(here.map(formatPlace))
  const changes = Object.fromEntries(
    Object.entries(rooms).flatMap(([room, config]) => {
      const places = config.places.filter(place => !gone.has(place))
      if (places.length === config.places.length) return []
      return [[`rooms.${room}`, places.length === 0 ? removed : { ...config, places }] as const]
    }),
  )
  const emptied = Object.keys(changes).filter(key => changes[key] === removed)
  return { places: [...gone], changes, emptied: emptied.map(key => key.slice('rooms.'.length)) }
}

const secretsOf = (tx: Tx, name: string): string[] =>
  listSecrets(tx)
    .map(secret => secret.name)
    .filter(secret => secret.startsWith(secretNameOf(name, '')) && reference.safeParse(`secret:${secret}`).success)

async function previewDel(context: Context, name: string) {
  if (await draftNamed(context, name)) return null
  await networkNamed(context, name)
  refuseUnheard(context, name, 'delete')
  const { places, emptied } = belongings(context, name)
  const waiting =
    (await context.ledger.read(backlog)).find(({ network }) => network === (name as NetworkId))?.queued ?? 0
  const parts = [
    `deletes the network ${name} with its tokens`,
    places.length > 0 ? `${places.join(', ')} leave their rooms` : '',
    emptied.length > 0 ? `the rooms ${emptied.join(', ')} have no other place and go` : '',
    waiting === 1 ? 'a delivery that waits for it is given up' : '',
    waiting > 1 ? `${waiting} deliveries that wait for it are given up` : '',
  ]
  return { text: parts.filter(Boolean).join('; '), of: [name, ...places, ...emptied] }
}

const del = declare({
  name: 'network del',
  summary: 'takes a network out, with its places in rooms, its tokens and what waits for it; what was said stays',
  role: 'owner',
  reply: 'public',
  mutates: true,
  args: z.object({ name }),
  confirm: ({ name }, context) => previewDel(context, name),
  examples: [
    ['!network del irc', "irc is the server that Chanop runs, with everybody's accounts: it stays"],
    ['!network del libra', 'no network libra; did you mean libera?'],
  ],
  async run(context, { name }) {
    if (await draftNamed(context, name)) {
      return {
        lines: [`${name} is not set up any more; what was given for it is gone`],
        effect: tx => {
          dropNetworkDraft(tx, name)
          for (const secret of secretsOf(tx, name)) dropSecret(tx, secret)
        },
      }
    }
    await networkNamed(context, name)
    refuseUnheard(context, name, 'delete')
    const { changes } = belongings(context, name)
    const store = storing(context, { ...changes, [`networks.${name}`]: removed })
    return {
      lines: [`${name} is deleted`],
      effect: tx => {
        refuseNone(tx, context, name)
        store(tx)
        for (const secret of secretsOf(tx, name)) dropSecret(tx, secret)
      },
      committed: () => takeOver(context),
    }
  },
})

export const networkCommands = [test, switching('on'), switching('off'), reconnect, del]
