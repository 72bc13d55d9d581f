/** For suites: the bridge as a process of its own that is killed and comes back, as PM2 brings it. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { compileCache } from '../../core/ledger/testing.ts'

const root = resolve(import.meta.dirname, '../..')
const readyMs = 60_000

export interface BridgeFiles {
  readonly dataDir: string
  readonly config: string
  readonly env: Readonly<Record<string, string>>
}

export class BridgeProcess {
  readonly #files: BridgeFiles
  #child: ChildProcess | null = null

  constructor(files: BridgeFiles) {
    this.#files = files
  }

  get logFile(): string {
    return join(this.#files.dataDir, 'bridge.log')
  }

  /** Resolves once it says that it is ready, or was killed before. */
  async start(): Promise<void> {
    const { dataDir, config, env } = this.#files
    const log = openSync(this.logFile, 'a')
    const child = fork(join(root, 'bots/bridge/main.ts'), {
      cwd: root,
      stdio: ['ignore', log, log, 'ipc'],
      env: {
        ...process.env,
        ...env,
        CHANOP_DATA: dataDir,
        CHANOP_CONFIG: config,
        NODE_COMPILE_CACHE: compileCache,
      },
    })
    this.#child = child
    const ended = once(child, 'exit').then(([code]) => {
      if (!child.killed)
        throw new Error(`the bridge ended with ${String(code)} before it was ready: see ${this.logFile}`)
    })
    ended.catch(() => undefined)
    await Promise.race([once(child, 'message', { signal: AbortSignal.timeout(readyMs) }), ended])
  }

  /** SIGKILL, wherever it is; resolves once it is gone. */
  async kill(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
}
