import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe } from 'node:test'
import type { Adapter } from '../../core/adapter.ts'
import { adapterContract, type ContractFixture } from '../../core/contract/adapter.ts'
import type { Seen } from '../../core/contract/harness.ts'
import { deadline } from '../../core/retry.ts'
import { createIrcAdapter } from './adapter.ts'
import { type IrcConfig, ircSchema } from './config.ts'
import { type Control, controlPath } from './control.ts'
import { type Batch, Batches, joinMultiline } from './link/batch.ts'
import { availableServers, startErgo, startInspircd, type TestServer } from './server/testing.ts'
import { Proxy } from './testing/proxy.ts'
import { Guest, network, place } from './testing/trial.ts'
import type { Line } from './text/line.ts'

const starts = { ergo: startErgo, inspircd: startInspircd }
const channels = Array.from({ length: 60 }, (_, index) => `#room${index}`)
const capabilities = [
  'message-tags',
  'server-time',
  'account-tag',
  'batch',
  'echo-message',
  'draft/multiline',
  'draft/message-redaction',
]

const ours = (line: Line): boolean => line.nick === 'bridge'

/** What somebody sees of us in one channel, batches joined, removals and reactions applied. */
function seenIn(channel: string, lines: readonly Line[]): Seen[] {
  const found: { id: string; text: string; deleted: boolean; reactions: string[] }[] = []
  const add = (line: Line): void => {
    if (!ours(line) || line.command !== 'PRIVMSG' || line.params[0] !== channel) return
    found.push({ id: line.tags['msgid'] ?? '', text: line.params[1] ?? '', deleted: false, reactions: [] })
  }
  const heard = (batch: Batch): void => {
    const line = joinMultiline(batch)
    if (line) add(line)
  }
  const batches = new Batches(heard, () => {
    throw new Error('more batches than are kept')
  })
  for (const line of lines) {
    if (batches.take(line, 0)) continue
    add(line)
    const about = found.find(({ id }) => id === (line.command === 'REDACT' ? line.params[1] : line.tags['+reply']))
    if (!about) continue
    if (line.command === 'REDACT') about.deleted = true
    const { '+draft/react': shown, '+draft/unreact': taken } = line.tags
    if (shown !== undefined && !about.reactions.includes(shown)) about.reactions.push(shown)
    if (taken !== undefined) about.reactions = about.reactions.filter(emoji => emoji !== taken)
  }
  return found
}

for (const { kind, reason } of await availableServers()) {
  if (kind === 'ngircd') continue
  describe(kind, { skip: reason ?? false }, () => {
    let server: TestServer
    let proxy: Proxy
    let dataDir: string
    let alice: Guest
    let opened = 0
    let marks = 0

    before(async () => {
      server = await starts[kind](null, { channels })
      const control = server.control as Control
      dataDir = await mkdtemp(join(tmpdir(), 'chanop-contract-'))
      const { socket, plain } = control
      proxy = new Proxy(() => (socket === undefined ? connect(plain.port, plain.host) : connect(socket)))
      const path = join(dataDir, 'proxy.sock')
      const address = await proxy.listen(socket === undefined ? 0 : path)
      await mkdir(dirname(controlPath(dataDir)))
      const changed = address ? { plain: { host: '127.0.0.1', port: address.port } } : { socket: path }
      await writeFile(controlPath(dataDir), JSON.stringify({ ...control, ...changed }))
      const account = { account: 'alice', password: await server.account('alice') }
      alice = await Guest.join({ host: server.host, port: server.port, nick: 'alice', account, capabilities })
    })
    after(async () => {
      alice?.leave()
      proxy?.close()
      await server?.stop()
      await rm(dataDir, { recursive: true, force: true })
    })

    /** Resolves when the server has worked through all that alice said, and has told her all before. */
    const barrier = async (): Promise<void> => {
      const mark = `mark${marks++}`
      alice.say(`PING :${mark}`)
      await alice.wait(line => line.command === 'PONG' && line.params.at(-1) === mark, 'PONG')
    }

    const present = async (channel: string): Promise<void> => {
      const until = deadline(15_000)
      while (!until.aborted) {
        const from = alice.lines.length
        alice.say(`NAMES ${channel}`)
        await barrier()
        const names = alice.lines
          .slice(from)
          .filter(line => line.command === '353')
          .flatMap(line => (line.params.at(-1) ?? '').split(' '))
        if (names.some(name => /^[~&@%+]*bridge$/.test(name))) return
      }
      throw new Error(`bridge is not in ${channel}`)
    }

    adapterContract(kind, async t => {
      const channel = channels[opened++] as string
      alice.say(`JOIN ${channel}`)
      await barrier()
      const from = alice.lines.length
      t.after(() => alice.say(`PART ${channel}`))
      const config = ircSchema.parse({ kind: 'irc', managed: true, channels: [channel] }) as IrcConfig
      const mine = (): Line | undefined =>
        alice.lines.findLast(line => line.nick === 'alice' && line.params[0] === channel && line.command === 'PRIVMSG')
      let adapter: Adapter | undefined
      const fixture: ContractFixture = {
        place: place(channel),
        create: async context => {
          adapter = await createIrcAdapter(config, {
            ...context,
            network,
            personas: [],
            instance: 'abcdefghijkl',
            places: [],
            dataDir,
            secret: () => Promise.reject(new Error('no secrets here')),
          })
          return adapter
        },
        platform: {
          strangers: false,
          keepsHistory: true,
          ...(kind === 'inspircd' ? { historyVouches: false as const } : {}),
          say: async said => {
            alice.say(`PRIVMSG ${channel} :${said}`)
            await barrier()
          },
          present: async () => {
            await present(channel)
            // Resolves once what was missed is handed over: what a test does next comes behind it.
            await adapter?.find?.(place(channel), 'nothing', { do: 'send', content: { segments: [] } })
          },
          seen: async () => {
            await barrier()
            return seenIn(channel, alice.lines.slice(from))
          },
          offline: work => proxy.offline(work),
          connections: async () => proxy.connections,
          loseAnswer: async () => {
            const before = seenIn(channel, alice.lines).length
            proxy.loseAnswer(broken => {
              const arrived = alice.wait(() => seenIn(channel, alice.lines).length > before, 'the message')
              arrived.finally(broken).catch(() => undefined)
            })
          },
          react: async emoji => alice.say(`@+draft/react=${emoji};+reply=${mine()?.tags['msgid']} TAGMSG ${channel}`),
          ...(kind === 'ergo'
            ? { remove: async () => alice.say(`REDACT ${channel} ${mine()?.tags['msgid']} :oops`) }
            : {}),
        },
      }
      return fixture
    })
  })
}
