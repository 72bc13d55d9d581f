/** `npm run chat`: a small IRC client in the terminal, logged in as the owner. `--help` lists its options. */

import { join } from 'node:path'
import { asChanopError } from '../core/error.ts'
import { App } from './chat/app.ts'
import type { Target } from './chat/endpoint.ts'
import { KnownCommands } from './chat/known.ts'
import { Lines } from './chat/lines.ts'
import { type Options, readOptions, usage } from './chat/options.ts'
import { clean } from './chat/style.ts'
import { readSetting, type Setting } from './chat/target.ts'
import { Terminal } from './chat/terminal.ts'
import { type Instance, instanceOf } from './instance.ts'
import { stopSignal } from './steps.ts'

const historyLines = 100

type Known = Setting & { readonly known: KnownCommands }

async function withCommands(setting: Setting, { paths }: Instance): Promise<Known> {
  const known = new KnownCommands(setting.prefix)
  const unread = 'data/run/commands.json can not be read; only the built-in commands are known'
  const note = await known.load(join(paths.run, 'commands.json')).then(
    () => setting.note,
    () => setting.note ?? unread,
  )
  return { ...setting, known, note }
}

const targetOf = ({ endpoint, login, channels }: Setting, lines: number): Target => ({
  ...login,
  endpoint,
  channels,
  historyLines: lines,
})

async function onScreen(options: Options, { known, ...setting }: Known): Promise<void> {
  const terminal = new Terminal(process.stdin, process.stdout, !process.env['NO_COLOR'])
  for (const end of ['exit', 'uncaughtExceptionMonitor'] as const) process.once(end, () => terminal.close())
  const target = targetOf(setting, options.history ?? historyLines)
  await new App({ target, prefix: setting.prefix, known, note: setting.note, terminal }).run(stopSignal())
}

async function lineByLine(options: Options, { known, ...setting }: Known): Promise<void> {
  if (setting.note !== null) console.error(clean(setting.note))
  const lines = new Lines({
    target: targetOf(setting, options.history ?? 0),
    prefix: setting.prefix,
    commands: known.names,
    input: process.stdin,
    waitMs: options.waitMs,
    out: line => console.log(line),
    err: line => console.error(line),
  })
  if (!(await lines.run(stopSignal()))) process.exitCode = 1
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(usage)
    return
  }
  const instance = instanceOf()
  const setting = await withCommands(await readSetting(options, instance), instance)
  const screen = process.stdin.isTTY && process.stdout.isTTY && !options.plain && process.env['TERM'] !== 'dumb'
  await (screen ? onScreen(options, setting) : lineByLine(options, setting))
}

// A reader that went away (`| head`) is an ordinary end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
try {
  await main()
} catch (error) {
  console.error(`chanop: ${clean(asChanopError(error).message)}`)
  process.exitCode = 1
}
// stdin may be held open by whoever gave it to us.
process.stdin.destroy()
