import type { APIChannel, APIGuild, APIGuildMember, APIUser, RESTGetAPICurrentUserGuildsResult } from 'discord.js'
import type { Probe, ProbeContext } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { ChannelId } from '../../core/event.ts'
import type { DiscordConfig } from './config.ts'
import { Following, isSpoken } from './following.ts'
import { type Channel, Directory } from './guild/directory.ts'
import { lackOf } from './status.ts'
import { Api } from './wire/api.ts'
import { contentSwitch, intentsOf, membersSwitch, tokenOf } from './wire/login.ts'

/** Servers that are looked into; a bot for a bridge is in few. */
const mostGuilds = 20
const mostLacks = 20

/** Logs in over the REST API alone: a running session is not touched. */
export async function probe(config: DiscordConfig, context: ProbeContext): Promise<Probe> {
  const api = new Api({ api: config.api, signal: context.signal })
  try {
    api.token(tokenOf(await context.secret(config.token)))
    const self = await api.get<APIUser>('/users/@me')
    const directory = new Directory()
    directory.self = self
    const guilds = await guildsOf(api, config)
    for (const guild of guilds) await look(api, directory, guild)
    const following = new Following(directory, config.guilds, config.channels, [])
    const channels = [...directory.channels.values()].filter(isSpoken)
    const names = guilds.map(id => directory.guilds.get(id)?.name ?? id).join(', ')
    return {
      account: `${self.username} (${self.id})${names === '' ? '' : ` in ${names}`}`,
      server: 'Discord API 10',
      missing: [
        ...(await switches(api, config)),
        ...invitation(guilds, self),
        ...lacks(directory, following, channels),
      ],
      channels: channels.map(channel => ({
        channel: channel.id as ChannelId,
        name: `#${channel.name} (${directory.guilds.get(channel.guild ?? '')?.name ?? ''})`,
        joined: following.isIn(channel),
      })),
    }
  } finally {
    api.close()
  }
}

async function guildsOf(api: Api, config: DiscordConfig): Promise<string[]> {
  const all = await api.get<RESTGetAPICurrentUserGuildsResult>('/users/@me/guilds')
  const ids = all.map(({ id }) => id)
  return ids.filter(id => config.guilds.length === 0 || config.guilds.includes(id)).slice(0, mostGuilds)
}

async function look(api: Api, directory: Directory, id: string): Promise<void> {
  const guild = await api.get<APIGuild>(`/guilds/${id}`)
  const me = await api.get<APIGuildMember>(`/guilds/${id}/members/${directory.self?.id}`)
  const channels = await api.get<APIChannel[]>(`/guilds/${id}/channels`)
  directory.found(guild, me.roles)
  for (const channel of channels) directory.note(channel, id)
}

/** The privileged intents that are off. What can't be asked is not known to be missing. */
async function switches(api: Api, config: DiscordConfig): Promise<string[]> {
  try {
    const { application, members, content } = await intentsOf(api)
    return [
      ...(content ? [] : [`Message Content Intent is off, so messages would be empty: ${contentSwitch(application)}`]),
      ...(members || !config.members
        ? []
        : [`Server Members Intent is off, so joins, leaves and new names are not told: ${membersSwitch(application)}`]),
    ]
  } catch (error) {
    if (error instanceof ChanopError && error.retry === 'never' && error.code !== 'network-refused') return []
    throw error
  }
}

const wanted = '309774634048'

/** The address with which the bot is invited, with the permissions it needs. */
export const inviteOf = (application: string): string =>
  `https://discord.com/oauth2/authorize?client_id=${application}&scope=bot+applications.commands&permissions=${wanted}`

const invitation = (guilds: readonly string[], { id }: APIUser): string[] =>
  guilds.length > 0 ? [] : [`the bot is in no server: open ${inviteOf(id)} and choose one`]

/** Permissions that are missing in the channels we are to be in. */
function lacks(directory: Directory, following: Following, channels: readonly Channel[]): string[] {
  const named = [...following.named].filter(id => !directory.channels.has(id))
  const unseen = named.map(
    id => `there is no channel ${id} that the bot sees: invite it to the server, and give it View Channel`,
  )
  const lacking = channels
    .filter(channel => following.isIn(channel))
    .flatMap(channel => {
      const lack = lackOf(directory, channel)
      return lack === null ? [] : [`#${channel.name}: ${lack.reason}`]
    })
  return [...unseen, ...lacking].slice(0, mostLacks)
}
