/** `npm run doctor`: checks each part with what `npm start` uses; exit code 1 when any is not as it should be. */

import { existsSync } from 'node:fs'
import { readArguments } from './arguments.ts'
import { httpPorts, ourAddresses, type Plan, readPlan, wantedPorts } from './boot/plan.ts'
import { ownApps } from './boot/pm2.ts'
import { refuseOtherPm2 } from './boot/strays.ts'
import { attempt, bad, type Finding, good } from './checks/check.ts'
import { checkLedgerIsThere } from './checks/ledger.ts'
import {
  checkClock,
  checkDataFolder,
  checkDisk,
  checkModes,
  checkNode,
  checkPm2Home,
  checkSocketFolder,
} from './checks/machine.ts'
import { checkModels } from './checks/models.ts'
import { checkPort } from './checks/ports.ts'
import { checkApps, checkCertificate, checkHttpCertificates, checkIrc, checkRedis } from './checks/services.ts'
import { checkReferences } from './checks/settings.ts'
import { apps, type Instance, instanceOf, shown } from './instance.ts'
import { findIrc } from './programs/irc.ts'
import { placesOf } from './programs/places.ts'
import { findRedis } from './programs/redis.ts'
import { line, script } from './steps.ts'

const usage = `usage: npm run doctor
Checks each part with what npm start uses; exit code 1 when something is wrong. Changes nothing.`

async function main(): Promise<number> {
  if (!readArguments(usage, {})) return 0
  const instance = instanceOf()
  console.log(`Chanop ${instance.version} in ${instance.paths.data}`)
  if (neverStarted(instance)) {
    console.log('Nothing was started here yet: npm start sets up what is missing and starts it.')
    return 1
  }
  const findings = [...(await ofMachine(instance)), ...(await ofInstance(instance))]
  const columns = Math.max(...findings.map(({ name }) => name.length))
  for (const { name, ok, detail, fix } of findings) line(ok, name, '', fix ? `${detail}: ${fix}` : detail, columns)
  const wrong = findings.filter(({ ok }) => !ok).length
  console.log(wrong === 0 ? 'All is well.' : `${wrong} of ${findings.length} checks found something.`)
  return wrong === 0 ? 0 : 1
}

/** A ledger that is lost leaves its key behind. */
const neverStarted = ({ paths }: Instance): boolean => !existsSync(paths.ledger) && !existsSync(paths.vaultKey)

async function ofMachine(instance: Instance): Promise<Finding[]> {
  const { paths } = instance
  return [
    checkNode(),
    await attempt('PM2 home', () => refuseOtherPm2(instance).then(() => checkPm2Home(instance))),
    await checkDataFolder(paths),
    await attempt('disk', () => checkDisk(paths)),
    await attempt('file modes', () => checkModes(paths)),
    await attempt('socket', () => checkSocketFolder(paths)),
    await attempt('clock', () => checkClock(paths)),
    await attempt('ledger', () => checkLedgerIsThere(paths)),
  ]
}

async function ofInstance(instance: Instance): Promise<Finding[]> {
  let plan: Plan
  try {
    plan = await readPlan(instance)
  } catch (error) {
    return [{ name: 'config', ok: false, detail: (error as Error).message }]
  }
  const { ircd, config } = plan
  const held = await ourAddresses(instance, await ownApps(instance), plan)
  const wanted = apps.filter(app => (app === 'redis' ? config.redis.url === null : app !== 'ircd' || ircd !== null))
  return [
    good('config', shown(instance, instance.config)),
    await attempt('programs', () => ofPrograms(instance, plan)),
    await Promise.all(
      [...wantedPorts(plan), ...httpPorts(plan)].map(port =>
        attempt(port.key, () => checkPort(port, held, shown(instance, instance.config))),
      ),
    ),
    await attempt('redis', () => checkRedis(instance, plan)),
    ...(ircd ? [await attempt('irc server', () => checkIrc(instance))] : []),
    ...(ircd ? [await attempt('certificate', () => checkCertificate(instance))] : []),
    ...checkHttpCertificates(plan),
    await attempt('references', () => checkReferences(instance)),
    await attempt('models', () => checkModels(instance)),
    await attempt('processes', () => checkApps(instance, wanted)),
  ].flat()
}

async function ofPrograms({ paths, env }: Instance, { config, ircd }: Plan): Promise<Finding[]> {
  const places = await placesOf(paths, env)
  const fix = 'npm start gets it, or says how'
  const findings: Finding[] = []
  if (config.redis.url === null) {
    const redis = await findRedis(places)
    const said = redis && good('redis program', `${redis.version} (${redis.path})`)
    findings.push(said ?? bad('redis program', 'no redis-server', fix))
  }
  if (ircd) {
    const irc = await findIrc(places, config.irc.server)
    findings.push(irc ? good('irc program', `${irc.server} ${irc.version}`) : bad('irc program', 'none found', fix))
  }
  return findings
}

await script(main)
