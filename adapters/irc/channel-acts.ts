import type { Channels } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import { admit } from './admit.ts'
import type { Hand } from './hand.ts'
import { establish, type Keeping, unregister } from './kept.ts'
import { command, insist, isInspircd } from './link/command.ts'
import type { Session } from './link/session.ts'
import { oneLine } from './text/format.ts'
import { lastParam } from './text/line.ts'

type Plain = Required<Pick<Channels, 'join' | 'part' | 'mode' | 'kick'>>
type Managed = Required<Pick<Channels, 'bring' | 'keep' | 'release' | 'admit'>>

/** Who is in a channel, nicks without their prefixes. */
async function names(session: Session, channel: string): Promise<string[]> {
  const lines = await command(session, [`NAMES ${channel}`])
  const key = session.fold(channel)
  return lines
    .filter(line => line.command === '353' && session.fold(line.params[2] ?? '') === key)
    .flatMap(line => lastParam(line).split(' '))
    .map(name => name.replace(/^[~&@%+!]+/, '').replace(/!.*$/, ''))
    .filter(Boolean)
}

/** What is there already is not set again: nobody sees a change where there is none. */
async function topicIs(session: Session, channel: string, topic: string): Promise<boolean> {
  const shown = await command(session, [`TOPIC ${channel}`])
  return shown.some(line => line.command === '332' && lastParam(line) === topic)
}

/** Acts on channels by any connection that has the rights there. */
function plainActs(hand: Hand, by: { readonly managed: boolean }): Plain {
  const sa = (session: Session): string => (by.managed && isInspircd(session) ? 'SA' : '')
  return {
    join: place => hand.enter(place),
    part: (place, reason) => hand.leave(place, reason),
    async mode({ channel }, modes) {
      await insist(hand.session(), channel, [`${by.managed ? 'SA' : ''}MODE ${channel} ${oneLine(modes)}`])
    },
    async kick({ channel }, user, reason) {
      const session = hand.session()
      const nick = await hand.nickOf(user)
      await insist(session, nick, [`${sa(session)}KICK ${channel} ${nick} :${oneLine(reason)}`])
    },
  }
}

/** What only the operators of a server can do. */
function managedActs(hand: Hand, keeping: Keeping): Managed {
  return {
    admit: (place, accounts) => admit(hand, place, accounts, keeping),
    async bring({ channel }, users) {
      const session = hand.session()
      const nicks = await Promise.all(users.map(user => hand.nickOf(user).catch(absent)))
      const there = nicks.filter(nick => nick !== null)
      await command(
        session,
        there.map(nick => `SAJOIN ${nick} ${channel}`),
      )
      return there.length
    },
    async keep(place, { modes, topic }) {
      const session = hand.session()
      const { channel } = place
      await hand.enter(place)
      await establish(session, channel, keeping)
      if (modes) await insist(session, channel, [`SAMODE ${channel} ${oneLine(modes)}`])
      const wanted = oneLine(topic)
      if (wanted === '' || (await topicIs(session, channel, wanted))) return
      await insist(session, channel, [`${isInspircd(session) ? 'SA' : ''}TOPIC ${channel} :${wanted}`])
    },
    async release(place, reason) {
      const session = hand.session()
      const { channel } = place
      const kick = isInspircd(session) ? 'SAKICK' : 'KICK'
      const others = (await names(session, channel)).filter(nick => !hand.isOwn(nick))
      await command(
        session,
        others.map(nick => `${kick} ${channel} ${nick} :${oneLine(reason)}`),
      )
      if (isInspircd(session)) await command(session, [`SAMODE ${channel} -P`])
      else await unregister(session, channel)
      await hand.leave(place, oneLine(reason))
    },
  }
}

function absent(error: unknown): null {
  if (error instanceof ChanopError && error.code === 'send-refused') return null
  throw error
}

/** Acts on the channels of this network. `keeping`: how channels are kept where we run the server, else null. */
export const channelActs = (hand: Hand, keeping: Keeping | null): Channels => ({
  ...plainActs(hand, { managed: keeping !== null }),
  ...(keeping ? managedActs(hand, keeping) : {}),
})
