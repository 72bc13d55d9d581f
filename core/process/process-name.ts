import { readFileSync } from 'node:fs'
import { bootId } from '../ledger/meta.ts'

/** When a process began, in the kernel's own count; '' where that can't be had, or it has ended and nobody asked how. */
function bornOf(pid: number): string {
  try {
    // The program's name stands in parentheses and may hold spaces: count from its end (proc(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return 'ZX'.includes(state) ? '' : (fields[18] ?? '')
  } catch {
    return ''
  }
}

/** Names this very process for as long as the machine runs, and never another one: `<boot> <pid> <born>`. */
export const processName = (): string => `${bootId()} ${process.pid} ${bornOf(process.pid)}`

/** Whether the process of that name still runs on this machine. */
export function processLives(name: string): boolean {
  const [boot, pid, born] = name.split(' ')
  if (boot !== bootId()) return false
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return bornOf(Number(pid)) === born
}
