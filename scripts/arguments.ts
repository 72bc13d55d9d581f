/** What stands behind the name of a script. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { ChanopError } from '../core/error.ts'

const help = { help: { type: 'boolean', short: 'h' } } as const

interface Read<O extends ParseArgsOptionsConfig> {
  readonly values: { readonly [K in keyof O]: (O[K]['type'] extends 'boolean' ? boolean : string) | undefined }
  readonly positionals: readonly string[]
}

/**
 * The arguments of this process, at most `most` of them no options. Null for `--help`, which is answered with `usage`: a
 * script does nothing then. Throws `usage` for what it does not know, so that a mistyped wish does nothing else either.
 */
export function readArguments<const O extends ParseArgsOptionsConfig>(
  usage: string,
  options: O,
  most = 0,
): Read<O> | null {
  const read = parsed(usage, { ...options, ...help })
  if (read.values['help']) {
    console.log(usage)
    return null
  }
  const extra = read.positionals[most]
  if (extra !== undefined) throw misused(`what is ${extra}?`, usage)
  return read as Read<O>
}

function parsed(usage: string, options: ParseArgsOptionsConfig): Read<ParseArgsOptionsConfig> {
  try {
    return parseArgs({ options, allowPositionals: true }) as Read<ParseArgsOptionsConfig>
  } catch (error) {
    throw misused((error as Error).message.split('. ')[0] as string, usage)
  }
}

/** The error of a script that was asked for what it can't do: `message`, and below it how it is used. */
export const misused = (message: string, usage: string): ChanopError => new ChanopError('usage', `${message}\n${usage}`)
