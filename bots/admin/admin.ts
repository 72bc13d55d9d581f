import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Context } from '../../config/context.ts'
import { userOf } from '../../config/networks.ts'
import type { Command } from '../../core/command/command.ts'
import { helpCommands } from '../../core/command/help/help.ts'
import { Catalogue, readPublished } from '../../core/command/help/published.ts'
import { openDesk } from '../../core/command/visit/desk.ts'
import { frontCommands } from '../../core/command/visit/front.ts'
import { ChanopError } from '../../core/error.ts'
import { parsePlace } from '../../core/event.ts'
import { groups } from '../../core/ledger/people/groups.ts'
import { personFor } from '../../core/ledger/people/people.ts'
import { grant, owners } from '../../core/ledger/people/roles.ts'
import type { Stored } from '../../core/ledger/record/events.ts'
import type { Log } from '../../core/log.ts'
import { Signer } from './agents/engagement.ts'
import { keepAgents } from './agents/keeper.ts'
import { about } from './commands/about.ts'
import { accessCommands } from './commands/access.ts'
import { agentsCommands } from './commands/agents.ts'
import { auditCommands } from './commands/audit.ts'
import { backupCommands } from './commands/backup.ts'
import { canCommands } from './commands/can.ts'
import { channelCommands } from './commands/channels.ts'
import { configCommands } from './commands/config.ts'
import { engagementCommands } from './commands/engagements.ts'
import { fleetCommands } from './commands/fleet.ts'
import { groupCommands } from './commands/groups.ts'
import { hookCommands } from './commands/hooks.ts'
import { inviteCommands } from './commands/invite.ts'
import { keyCommands } from './commands/keys.ts'
import { linkCommands } from './commands/links.ts'
import { networkCommands } from './commands/networks.ts'
import { peopleCommands } from './commands/people.ts'
import { registerCommands } from './commands/register.ts'
import { roleCommands } from './commands/roles.ts'
import { secretCommands } from './commands/secrets.ts'
import { stopCommands } from './commands/stop.ts'
import { unlockCommands } from './commands/unlock.ts'
import { Fleet } from './fleet/fleet.ts'
import { keepLedgerSmall } from './retention.ts'
import type { AdminServices, Beat } from './services.ts'
import { upkeep } from './upkeep.ts'

const root = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)

export const adminCommands: readonly Command<AdminServices>[] = [
  ...about,
  ...helpCommands<AdminServices>('admin'),
  ...networkCommands,
  ...roleCommands,
  ...peopleCommands,
  ...inviteCommands,
  ...unlockCommands,
  ...registerCommands,
  ...accessCommands,
  ...agentsCommands,
  ...engagementCommands,
  ...fleetCommands,
  ...groupCommands,
  ...stopCommands,
  ...configCommands,
  ...secretCommands,
  ...auditCommands,
  ...backupCommands,
  ...canCommands,
  ...channelCommands,
  ...linkCommands,
  ...hookCommands,
  ...keyCommands,
  ...frontCommands<AdminServices>('admin'),
]

/** The first owner is the one the configuration names; later ones are made in chat. */
async function makeOwner({ ledger, settings }: Context): Promise<void> {
  const place = parsePlace(settings.current.owner)
  if (!place) return
  await ledger.write(db => {
    if (owners(db) > 0) return
    const user = userOf(settings.current, place.network, place.channel)
    const person = personFor(db, place.network, user, place.channel, Date.now())
    grant(db, { person, room: '', role: 'owner', untilMs: null }, 'the configuration', Date.now())
  })
}

const version = (): string =>
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version

/** Runs a script of the project; what it prints counts whatever its exit code is. */
async function program(args: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    return (await run(process.execPath, [...args], { cwd: root, signal, maxBuffer: 1_000_000 })).stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    if (stdout) return stdout
    const said = /^chanop: (.+)$/m.exec(stderr ?? '')?.[1]
    if (said) throw new ChanopError('setup-failed', said, { cause: error })
    throw new ChanopError('internal', `${args[0]} did not run`, { cause: error })
  }
}

/** Detached: admin may be the one that is restarted. */
const restarter =
  (log: Log) =>
  (bot: string): void => {
    const pm2 = join(root, 'node_modules', '.bin', 'pm2')
    const child = spawn(process.execPath, [pm2, 'restart', bot], { cwd: root, detached: true, stdio: 'ignore' })
    child.once('error', error => log.error({ error, restart: bot }, 'the process manager could not be run'))
    child.once('exit', code => {
      if (code)
        log.error({ code, restart: bot }, `the process manager did not restart ${bot}: pm2 ls shows what it has`)
    })
    child.unref()
  }

/** The names of all commands, settings and groups, for `npm run chat` to complete: `data/run/commands.json`. */
async function leaveNames({ ledger, settings, dataDir, log }: Context): Promise<void> {
  const names = await ledger.read(tx => ({
    commands: readPublished(tx).map(command => command.name),
    settings: settings.all().map(leaf => leaf.key),
    groups: [...groups(tx).keys()],
  }))
  try {
    await mkdir(join(dataDir, 'run'), { recursive: true, mode: 0o700 })
    await writeFile(join(dataDir, 'run', 'commands.json'), `${JSON.stringify(names)}\n`, { mode: 0o600 })
  } catch (error) {
    log.warn({ error }, 'the names of commands were not left for npm run chat: it completes none')
  }
}

const silentMs = 5000

/** Whether a bot runs. Without the bus, or before its first heartbeat, nobody knows better. */
const runs = ({ bus }: Context, beat: Beat | undefined): boolean =>
  !bus.up || beat === undefined || Date.now() - beat.atMs < silentMs

export async function runAdmin(context: Context, over: Partial<AdminServices> = {}): Promise<void> {
  const beats = new Map<string, Beat>()
  context.bus.onSignal('heartbeat', ({ bot, ...beat }) => beats.set(bot, beat))
  await makeOwner(context)
  const services: AdminServices = {
    context,
    startedMs: Date.now(),
    version: version(),
    beats,
    catalogue: new Catalogue(),
    fleet: new Fleet({ context, bridgeRuns: () => runs(context, beats.get('bridge')) }),
    signer: await Signer.open(context),
    program,
    restart: restarter(context.log),
    ...over,
  }
  const { served, router } = await openDesk(context, { commands: adminCommands, services, front: true })
  await leaveNames(context)
  const isCommand = (stored: Stored): boolean => router.asked(stored) !== null
  const kept = [
    keepAgents(context, services.signer),
    upkeep(context),
    keepLedgerSmall(context),
    services.fleet.run(isCommand),
  ]
  context.ready()
  await Promise.all([served, ...kept])
}
