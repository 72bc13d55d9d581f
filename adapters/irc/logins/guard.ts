/** The guard of logins: counts wrong passwords for either server, and for Ergo judges them too. Part of the process `ircd`. */
import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import type { LoginLock } from '../../../core/adapter.ts'
import { makeFolder } from '../../../core/files.ts'
import { linesOf } from '../../../core/lines.ts'
import type { Log } from '../../../core/log.ts'
import { sleep } from '../../../core/retry.ts'
import { callErgo } from '../accounts/ergo-api.ts'
import { folders, readSettings } from '../server/settings.ts'
import { type Credentials, credentialsPath, Credentials as Store } from './credentials.ts'
import { Door } from './door.ts'
import { type Answer, ergoSchema, type Request, requestSchema } from './protocol.ts'
import { listenForServices } from './services-link.ts'

export interface Guard {
  close(): Promise<void>
}

/** An account that can not be there: Ergo then refuses a login without looking at the password. */
const nobody = 'locked/out'

/**
 * Opens the guard of a data folder. While another copy has it, that is waited for. Resolves with null when `signal` aborts
 * before. Rejects `config-invalid` when what it keeps can't be read.
 */
export async function openGuard(dataDir: string, log: Log, signal: AbortSignal): Promise<Guard | null> {
  const at = folders(dataDir)
  for (let said = false; await isServed(at.logins); said = true) {
    if (signal.aborted) return null
    if (!said) log.error('another copy works on this data folder: it is waited for')
    await sleep(500, signal)
  }
  if (signal.aborted) return null
  const { program, secrets } = await readSettings(dataDir)
  const watching = new Set<Socket>()
  const door = new Door(locks => tellAll(watching, locks))
  const store = program.server === 'ergo' ? await Store.open(credentialsPath(at.ergo)) : null
  const desk = new Desk({ door, store, own: secrets.accounts, before: ofErgo(dataDir) })
  const socket = await listen(at.logins, desk, watching, log)
  const link = program.server === 'inspircd' ? await listenBetween(dataDir, door) : null
  return {
    close: async () => {
      for (const one of watching) one.destroy()
      for (const server of [socket, link]) server?.close()
      await rm(at.logins, { force: true })
    },
  }
}

function isServed(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => (socket.destroy(), resolve(true)))
    socket.once('error', () => resolve(false))
  })
}

/** Anope's way to InspIRCd; the port is only ours, so that it may be any. */
async function listenBetween(dataDir: string, door: Door): Promise<Server> {
  const serverPort = async (): Promise<number> => (await readSettings(dataDir)).linkPort
  for (;;) {
    const { httpPort } = await readSettings(dataDir)
    try {
      return await listenForServices(httpPort, serverPort, door)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      await (await import('../server/prepare.ts')).renewPort(dataDir, 'httpPort')
    }
  }
}

const lineOf = (locks: readonly LoginLock[]): string => `${JSON.stringify({ locks })}\n`

function tellAll(watching: ReadonlySet<Socket>, locks: readonly LoginLock[]): void {
  for (const socket of watching) socket.write(lineOf(locks))
}

async function listen(path: string, desk: Desk, watching: Set<Socket>, log: Log): Promise<Server> {
  await makeFolder(dirname(path))
  await rm(path, { force: true })
  const server = createServer(socket => {
    socket.on('error', () => socket.destroy())
    linesOf(socket).once('line', line => {
      desk.take(line, socket).then(
        answer => (answer === null ? follow(socket, watching, desk.locks) : socket.end(`${JSON.stringify(answer)}\n`)),
        (error: unknown) => {
          log.error({ error }, 'a login could not be judged')
          socket.destroy()
        },
      )
    })
  })
  server.listen(path)
  await once(server, 'listening')
  await chmod(path, 0o600)
  return server
}

function follow(socket: Socket, watching: Set<Socket>, locks: readonly LoginLock[]): void {
  watching.add(socket)
  socket.once('close', () => watching.delete(socket))
  socket.write(lineOf(locks))
}

interface DeskParts {
  readonly door: Door
  /** Ergo's accounts; null: the server's services keep them. */
  readonly store: Credentials | null
  /** Passwords of the accounts that we use ourselves: they are never locked out. */
  readonly own: Readonly<Record<string, string>>
  /** Passwords that Ergo itself still has, of before they were kept here. */
  readonly before: {
    opens(account: string, password: string): Promise<boolean>
    forget(account: string): Promise<void>
  }
}

class Desk {
  readonly #o: DeskParts

  constructor(parts: DeskParts) {
    this.#o = parts
  }

  get locks(): readonly LoginLock[] {
    return this.#o.door.locks
  }

  /** One request's answer; null: it is to be told the locks from now on. */
  async take(line: string, socket: Socket): Promise<Answer | object | null> {
    const asked: unknown = JSON.parse(line)
    if (typeof asked !== 'object' || asked === null || !('act' in asked)) {
      const { accountName, passphrase, certfp, ip } = ergoSchema.parse(asked)
      const gone = new AbortController()
      socket.once('close', () => gone.abort())
      if (accountName !== '') return this.#login({ account: accountName, address: ip }, passphrase, gone.signal)
      const owner = this.#o.store?.ownerOf(certfp.toLowerCase()) ?? null
      return owner === null ? { success: false } : { success: true, accountName: owner }
    }
    const request = requestSchema.parse(asked)
    if (request.act === 'watch') return null
    if (request.act === 'lift') return { ok: true, lifted: this.#o.door.lift(request.what) }
    return this.#o.store ? this.#keep(this.#o.store, request) : { ok: false }
  }

  async #login(who: { account: string; address: string }, password: string, signal: AbortSignal): Promise<object> {
    const own = this.#o.own[who.account.toLowerCase()]
    if (own !== undefined && same(own, password)) return { success: true, accountName: who.account }
    const attempt = await this.#o.door.enter(who, signal)
    if (!attempt) return { success: true, accountName: nobody }
    const right = await this.#opens(who.account, password)
    attempt.end(right ? 'right' : 'wrong')
    return right ? { success: true, accountName: who.account } : { success: false }
  }

  /** A password that Ergo still has is kept here, and no longer there, from the first login on. */
  async #opens(account: string, password: string): Promise<boolean> {
    const { store, before } = this.#o
    if (!store) return false
    if (store.has(account)) return store.opens(account, password)
    if (!(await before.opens(account, password))) return false
    await store.setPassword(account, password)
    await before.forget(account)
    return true
  }

  async #keep(store: Credentials, request: Exclude<Request, { act: 'watch' | 'lift' }>): Promise<Answer> {
    switch (request.act) {
      case 'check':
        return { ok: await this.#opens(request.account, request.password) }
      case 'known':
        return { ok: store.has(request.account) }
      case 'password':
        await store.setPassword(request.account, request.password)
        this.#o.door.lift(request.account)
        return { ok: true }
      case 'drop':
        await store.drop(request.account)
        this.#o.door.lift(request.account)
        return { ok: true }
      case 'certificates':
        return { ok: true, certificates: store.certificates(request.account) }
      case 'certificate-add': {
        const owner = store.ownerOf(request.fingerprint)
        if (owner !== null && owner !== request.account.toLowerCase()) return { ok: false, owner }
        await store.addCertificate(request.account, request.fingerprint)
        return { ok: true }
      }
      case 'certificate-del':
        await store.removeCertificate(request.account, request.fingerprint)
        return { ok: true }
    }
  }
}

const same = (one: string, other: string): boolean => {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function ofErgo(dataDir: string): DeskParts['before'] {
  const call = async (path: string, account: string, password: string): Promise<boolean> => {
    const { httpPort, secrets } = await readSettings(dataDir)
    const answer = await callErgo({ url: `http://127.0.0.1:${httpPort}`, token: secrets.api }, path, {
      accountName: account,
      passphrase: password,
    })
    return answer.success
  }
  return {
    opens: (account, password) => call('check_auth', account, password),
    forget: async account => void (await call('ns/passwd', account, '')),
  }
}
