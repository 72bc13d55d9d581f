import { findPrograms, type Programs, type ServerProgram } from '../../adapters/irc/server/programs.ts'
import { ChanopError } from '../../core/error.ts'
import { hasApt, unpackDebian } from './debian.ts'
import { ergoVersion, fetchErgo } from './ergo.ts'
import { installCommand } from './path.ts'
import type { Places } from './places.ts'

type Server = ServerProgram['server']

export const inspircd = {
  packages: ['inspircd', 'anope', 'libident'],
  programs: [
    'usr/sbin/inspircd',
    'usr/sbin/anope',
    'usr/lib/inspircd/modules/m_ssl_gnutls.so',
    'usr/lib/anope/modules/inspircd3.so',
  ],
}

export interface IrcChoice {
  /** `irc.server` of the configuration. */
  readonly forced: Server | null
  /** What to do instead where chat set it. */
  readonly unset?: string
  /** What this instance runs on already: its accounts live there, so that another server never takes its place unasked. */
  readonly before: Server | null
}

/** The IRC server to run: one that is there, else Ergo's release, else Debian's InspIRCd with Anope. */
export async function obtainIrc(places: Places, choice: IrcChoice): Promise<ServerProgram> {
  const { forced, before } = choice
  const wanted = forced ?? before
  const reasons: string[] = []
  const look = async (server: Server): Promise<ServerProgram | undefined> => {
    const programs = await findPrograms(places.data, places.env)
    reasons.push(...programs.refused.filter(refusal => refusal.server === server).map(refusal => refusal.reason))
    return programs.found.find(program => program.server === server)
  }
  for (const server of wanted ? [wanted] : (['ergo', 'inspircd'] as const)) {
    const there = await look(server)
    if (there) return there
    try {
      await (server === 'ergo' ? fetchErgo(places.bin, places.env) : unpackInspircd(places))
    } catch (error) {
      reasons.push((error as Error).message)
      continue
    }
    const fetched = await look(server)
    if (fetched) return fetched
  }
  throw new ChanopError(
    'setup-failed',
    `no IRC server (${[...new Set(reasons)].join('; ')}): ${await waysOut(places, choice)}`,
  )
}

/** The one that is there and would be run, without fetching anything. */
export async function findIrc({ data, env }: Places, wanted: Server | null): Promise<ServerProgram | null> {
  const { found } = await findPrograms(data, env)
  return found.find(program => wanted === null || program.server === wanted) ?? null
}

async function unpackInspircd(places: Places): Promise<void> {
  if (!(await hasApt(places.env['PATH']))) throw new ChanopError('setup-failed', 'this system has no apt-get')
  await unpackDebian(places.cache, inspircd, async () => has(await findPrograms(places.data, places.env), 'inspircd'))
}

const has = ({ found }: Programs, server: Server): boolean => found.some(program => program.server === server)

async function waysOut({ env, bin }: Places, { forced, before, unset }: IrcChoice): Promise<string> {
  const ergo = `put Ergo ${ergoVersion} or newer (https://ergo.chat) into ${bin}/ergo or name it with ERGO_BIN`
  const packages = await installCommand('inspircd anope', env['PATH'])
  const ways =
    forced === 'inspircd' || before === 'inspircd' ? [packages] : forced === 'ergo' ? [ergo] : [ergo, packages]
  if (forced) ways.push(`or ${unset ?? 'set irc.server: null in the configuration'}`)
  else if (before) ways.push(`or name the other server in irc.server of the configuration (its accounts begin anew)`)
  return ways.join(', or ').replaceAll('or or', 'or')
}
