/** The files that the processes need, from the programs that were found and the configuration. */
import { createHash } from 'node:crypto'
import { glob, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { controlPath } from '../../adapters/irc/control.ts'
import { prepareServer } from '../../adapters/irc/server/prepare.ts'
import type { ServerProgram } from '../../adapters/irc/server/programs.ts'
import { readIfThere, readJson, writeIfChanged } from '../../core/files.ts'
import { type App, apps, bots, type Instance } from '../instance.ts'
import type { RedisProgram } from '../programs/redis.ts'
import type { Plan } from './plan.ts'
import { redisCommand, writeRedisConfig } from './redis.ts'

export interface Found {
  readonly redis: RedisProgram | null
  readonly irc: ServerProgram | null
}

export async function prepareIrc({ paths }: Instance, { ircd }: Plan, program: ServerProgram | null): Promise<string> {
  if (!ircd || !program) return 'none: every network is run by others'
  const { settings, owner } = ircd
  const config = { listen: settings.listen, channels: settings.channels, owner, bots: [...bots] }
  const { plain, tls } = await prepareServer({ dataDir: paths.data, config, program })
  return `${program.server} ${program.version} for ${plain.host}:${plain.port} and ${tls.host}:${tls.port} (TLS)`
}

/** Writes what ecosystem.config.cjs reads, and Redis's configuration. Resolves with the apps that are to run. */
export async function describe(instance: Instance, plan: Plan, { redis, irc }: Found): Promise<readonly App[]> {
  const { paths, node, config, env } = instance
  if (redis) await writeRedisConfig(paths)
  const command = redis ? await redisCommand(redis.path, paths, env['PATH']) : null
  const made = { version: 1, node, config, redis: command && { command }, ircd: plan.ircd !== null }
  await writeIfChanged(paths.programs, `${JSON.stringify({ redis, irc }, null, 2)}\n`)
  await writeIfChanged(paths.instance, `${JSON.stringify(made, null, 2)}\n`)
  return apps.filter(app => (app === 'redis' ? redis : app === 'ircd' ? plan.ircd : true))
}

/** Keeps the values of `env:NAME` references for the bots; one that this shell lacks stays. Resolves with those missing. */
export async function keepVariables(
  { paths, env }: Instance,
  variables: readonly string[],
): Promise<readonly string[]> {
  const before = ((await readJson(paths.env)) ?? {}) as Record<string, string>
  const values = variables.map(name => [name, env[name] || before[name]] as const)
  const kept = Object.fromEntries(values.filter(([, value]) => value))
  await writeIfChanged(paths.env, `${JSON.stringify(kept)}\n`)
  return values.filter(([, value]) => !value).map(([name]) => name)
}

const hash = (...parts: readonly (string | null)[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)

/** What each app runs on: one that is other than at its last start is restarted. */
export async function fingerprints(instance: Instance, plan: Plan): Promise<Record<App, string>> {
  const { root, paths } = instance
  const read = (path: string): Promise<string | null> => readIfThere(path)
  const made = (await read(paths.instance)) ?? ''
  const code = await newestSource(root)
  const bot = hash(made, code, plan.text, await read(paths.env), await read(controlPath(paths.data)))
  const folder = join(paths.data, 'ircd')
  const files = ['server.json', 'ergo/ircd.yaml', 'inspircd/inspircd.conf', 'anope/services.conf']
  return {
    redis: hash(made, await read(paths.redisConfig)),
    ircd: hash(made, ...(await Promise.all(files.map(file => read(join(folder, file)))))),
    bridge: bot,
    admin: bot,
    oracle: bot,
    scribe: bot,
  }
}

/** Time of the newest source of the bots: after an update of the checkout they are restarted. */
async function newestSource(root: string): Promise<string> {
  let newestMs = 0
  for await (const file of glob('{core,adapters,bots,config}/**/*.ts', { cwd: root })) {
    if (!file.endsWith('.test.ts')) newestMs = Math.max(newestMs, (await stat(join(root, file))).mtimeMs)
  }
  return String(newestMs)
}
