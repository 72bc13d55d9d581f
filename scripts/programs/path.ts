import { delimiter, isAbsolute, join } from 'node:path'
import { runnable } from '../../adapters/irc/server/programs.ts'

/** The first program of that name on `path` (as in $PATH), or null. */
export async function onPath(name: string, path: string | undefined): Promise<string | null> {
  for (const folder of (path ?? '').split(delimiter)) {
    if (isAbsolute(folder) && (await runnable(join(folder, name)))) return join(folder, name)
  }
  return null
}

const installers = [
  ['apt-get', 'sudo apt-get install'],
  ['dnf', 'sudo dnf install'],
  ['apk', 'sudo apk add'],
  ['pacman', 'sudo pacman -S'],
  ['zypper', 'sudo zypper install'],
  ['brew', 'brew install'],
] as const

type Installer = (typeof installers)[number][0]

/** The exact command with which this system installs a program: `names` gives the package's name where it differs. */
export async function installCommand(
  name: string,
  path: string | undefined,
  names: Partial<Record<Installer, string>> = {},
): Promise<string> {
  for (const [program, command] of installers) {
    if (await onPath(program, path)) return `${command} ${names[program] ?? name}`
  }
  return `install ${name} with your system's package manager`
}
