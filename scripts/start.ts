import { createHash } from 'node:crypto'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { readControl } from '../adapters/irc/control.ts'
import { readSettings } from '../adapters/irc/server/settings.ts'
import { makeFolder, readIfThere, writeIfChanged } from '../core/files.ts'
import { readArguments } from './arguments.ts'
import { hold } from './boot/hold.ts'
import { findModels } from './boot/models.ts'
import { makeConfig, ourAddresses, type Plan, readPlan, setInChat, wantedPorts } from './boot/plan.ts'
import { claimNames, type Started, startApps } from './boot/processes.ts'
import { describe, type Found, fingerprints, keepVariables, prepareIrc } from './boot/setup.ts'
import { endStrays, refuseOtherPm2 } from './boot/strays.ts'
import { keepBeforeMigration } from './boot/upgrade.ts'
import { attempt, demand, demandAll } from './checks/check.ts'
import { checkLedger } from './checks/ledger.ts'
import { checkClock, checkDataFolder, checkDisk, checkNode, checkPm2Home, checkSocketFolder } from './checks/machine.ts'
import { byFileAlone, checkPort } from './checks/ports.ts'
import { apps, type Instance, instanceOf, quoted, shown } from './instance.ts'
import { obtainIrc } from './programs/irc.ts'
import { placesOf } from './programs/places.ts'
import { obtainRedis } from './programs/redis.ts'
import { script, seconds, step } from './steps.ts'

/** All services that a key is there for are asked what they offer; none of them holds a start up for long. */
const lookForModelsMs = 10_000

const usage = `usage: npm start
Sets up what is missing and starts what does not run; harmless when all runs.`

async function main(): Promise<number> {
  if (!readArguments(usage, {})) return 0
  const sinceMs = performance.now()
  const instance = instanceOf()
  console.log(`Chanop ${instance.version} in ${instance.paths.data}`)
  for (const finding of [checkNode(), checkPm2Home(instance)]) demand(finding)
  demand(await checkDataFolder(instance.paths))
  for (const folder of [instance.paths.run, instance.paths.logs, instance.paths.bin]) await makeFolder(folder)
  await using _lock = await hold(instance.paths.startLock, 'npm start')
  await start(instance, sinceMs)
  return 0
}

async function start(instance: Instance, sinceMs: number): Promise<void> {
  let plan!: Plan
  await step('config', async () => {
    const made = await makeConfig(instance)
    plan = await readPlan(instance)
    return `${shown(instance, instance.config)}${made ? ', made from config/example.yaml' : ''}`
  })
  await step('checks', () => checks(instance, plan))
  let found!: Found
  await step('programs', async () => {
    found = await programs(instance, plan)
    return [found.redis && `Redis ${found.redis.version}`, found.irc && `${found.irc.server} ${found.irc.version}`]
      .filter(Boolean)
      .join(', ')
  })
  const kept = await keepBeforeMigration(instance.paths)
  if (kept !== null) await step('upgrade', async () => `the ledger as it was is kept in ${shown(instance, kept)}`)
  await step('keys', async () => demand(await attempt('ledger', () => checkLedger(instance.paths, 'quick'))).detail)
  await step('irc server', () => prepareIrc(instance, plan, found.irc))
  const models = await findModels(instance, AbortSignal.timeout(lookForModelsMs))
  const wanted = await describe(instance, plan, found)
  const missing = await keepVariables(instance, models.variables)
  const started = await startApps(instance, wanted, await fingerprints(instance, plan))
  await farewell(instance, plan, started, { missing, models: models.lines }, sinceMs)
}

async function checks(instance: Instance, plan: Plan): Promise<string> {
  const disk = demand(await checkDisk(instance.paths))
  demand(await checkClock(instance.paths))
  demand(await checkSocketFolder(instance.paths))
  await refuseOtherPm2(instance)
  const own = await claimNames(instance, apps)
  await endStrays(instance, own)
  const held = await ourAddresses(instance, own, plan)
  const file = shown(instance, instance.config)
  demandAll(await Promise.all(wantedPorts(plan).map(port => checkPort(port, held, file))))
  return `${disk.detail}, ports ${
    wantedPorts(plan)
      .map(({ address }) => address)
      .join(' and ') || 'none'
  }`
}

async function programs(instance: Instance, { config, ircd, byChat }: Plan): Promise<Found> {
  const { paths, env } = instance
  const places = await placesOf(paths, env)
  const before = await readSettings(paths.data).then(
    settings => settings.program.server,
    () => null,
  )
  const chatKey = setInChat(byChat, 'irc.server')
  const unset = chatKey === undefined ? {} : { unset: byFileAlone(shown(instance, instance.config), chatKey) }
  return {
    redis: config.redis.url === null ? await obtainRedis(places) : null,
    irc: ircd ? await obtainIrc(places, { forced: config.irc.server, before, ...unset }) : null,
  }
}

async function farewell(
  instance: Instance,
  plan: Plan,
  { begun }: Started,
  { missing, models }: { missing: readonly string[]; models: readonly string[] },
  sinceMs: number,
): Promise<void> {
  const done = begun.length > 0 ? 'Chanop runs' : 'Chanop is already running'
  console.log(`\n${done} (${seconds(sinceMs)}).`)
  for (const name of missing) console.log(`  ! ${name} is not set: export ${name}=… and run npm start again`)
  for (const words of models) console.log(`  ${words}`)
  if (plan.ircd) await whereTo(instance)
  // scripts/run may have given us another HOME than the shell's.
  const usual = instance.env['PM2_HOME'] || instance.pm2Home === join(userInfo().homedir, '.pm2')
  if (!usual) console.log(`  PM2        first: export PM2_HOME=${quoted(instance.pm2Home)}`)
  console.log('  processes  npx pm2 ls, npx pm2 logs oracle, npx pm2 restart scribe; npm run doctor; npm stop')
  const prefix = plan.config.commands.prefix
  const hello = models.some(words => words.startsWith('!')) ? '' : '  oracle: hello'
  console.log(`  say first  ${prefix}help  ${prefix}status  ${prefix}whoami  ${prefix}last 5${hello}`)
}

async function whereTo(instance: Instance): Promise<void> {
  const { plain, tls } = await readControl(instance.paths.data)
  console.log(
    `  chat       npm run chat  (or any IRC client with SASL: ${tls.host} port ${tls.port} with TLS, ${plain.port} without)`,
  )
  // As irssi wants it; whoever wants none of the colons can leave them out.
  console.log(`  TLS key    SHA-256 ${tls.fingerprint.toUpperCase().match(/../g)?.join(':')}`)
  const login = await readIfThere(instance.paths.ownerLogin)
  const file = shown(instance, instance.paths.ownerLogin)
  if (login === null) console.log('  owner      has another password than the first one, which is no longer kept')
  else if (await isNews(instance, login)) console.log(`  owner      ${login.trim()}  (shown once; kept in ${file})`)
  else console.log(`  owner      the login is in ${file}`)
}

/** Whether this login was never shown; from now on it was. */
const isNews = ({ paths }: Instance, login: string): Promise<boolean> =>
  writeIfChanged(join(paths.run, 'login-shown'), `${createHash('sha256').update(login).digest('hex')}\n`)

await script(main)
