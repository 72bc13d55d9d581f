/** What a server's last words mean, in one line that says what to do. */
import { lockedExitCode } from './launch.ts'

export interface Fault {
  readonly line: string
  /** Trying again soon can't help: somebody has to do something first. */
  readonly lasting: boolean
}

interface Known {
  readonly sign: RegExp
  readonly say: (found: RegExpExecArray) => string
}

const known: readonly Known[] = [
  {
    // Ergo: `listen tcp 127.0.0.1:6667: bind: address already in use`; InspIRCd: `127.0.0.1:6667: Address already in use`.
    sign: /(\S+:\d+)(?::| -)? ?(?:bind: )?address already in use/i,
    say: ([, address]) =>
      `${address} is taken by another program: stop that one, or change networks.irc.listen in the configuration`,
  },
  {
    sign: /(\S+:\d+)(?::| -)? ?(?:bind: )?(?:cannot assign requested address|permission denied)/i,
    say: ([, address]) => `${address} can not be listened on: change networks.irc.listen in the configuration`,
  },
  {
    sign: /exec: (\S+?):? (?:not found|permission denied)/i,
    say: ([, path]) => `${path} is not there any more: run npm start`,
  },
  { sign: /no space left on device/i, say: () => 'the disk is full: make room' },
  {
    sign: /read-only file system/i,
    say: () => 'the data folder is on a read-only file system: make it writable, or set CHANOP_DATA',
  },
  {
    sign: /permission denied|could not open pid|unable to (?:write|open) .*(?:pid|log)|can(?:no|')t (?:write|open|create)/i,
    say: () => 'the data folder can not be written: give it to the user who runs Chanop',
  },
  {
    // Ergo; InspIRCd (`… at FILE:line:col (inside tag …)`, `[*] Unable to load …`); Anope, whose last line says nothing.
    sign: /did not load successfully:\s*(.+)|^(?!\s*Created from)(.* at \/.*\.conf:\d+:\d+.*)|\[\*\] (Unable to load .*)|\] ((?:Unterminated|Unexpected|Missing|The value for) .*)/i,
    say: found => `its configuration is broken (${found.slice(1).find(Boolean)}): run npm start, which writes it anew`,
  },
  { sign: /file failed to validate/i, say: () => 'its configuration is broken: run npm start, which writes it anew' },
  {
    sign: /(\S+): (?:error while loading shared libraries: .*)/i,
    say: ([whole]) => `${whole}: run npm start, which fetches what is missing`,
  },
]

/** Anope's lines of what people did: their words may read like anything. */
const ofPeople = /^\[[^\]]*\] (?:ADMIN|OVERRIDE|COMMAND|CHANNEL|USERS): /

/** `printed`: what it wrote lately; of who was killed it says nothing. `code`: its exit code, null when a signal ended it. */
export function explain(name: string, printed: readonly string[], code: number | null, signal: string | null): Fault {
  if (code === lockedExitCode)
    return { line: `${name}: another copy works on this data folder: stop that one, or set CHANOP_DATA`, lasting: true }
  const words = signal === 'SIGKILL' ? [] : printed.filter(line => !ofPeople.test(line))
  // The list is in the order of what explains most: a taken port is followed by hints on the configuration.
  for (const { sign, say } of known) {
    for (const line of words.toReversed()) {
      const found = sign.exec(line)
      if (found) return { line: `${name}: ${say(found)}`, lasting: true }
    }
  }
  const last = words.findLast(line => /ERROR|error|fatal|panic/i.test(line))
  return {
    line: `${name} ended (${signal ?? `code ${code}`})${last ? `: ${last}` : ''}; starting it again`,
    lasting: false,
  }
}

/** Both run on without a listener that they could not open (InspIRCd any, Ergo its API's), and only say so. */
export const lacksListener = (line: string): boolean =>
  /address already in use|cannot assign requested address|failed to bind: .*permission denied/i.test(line)
