import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { networkLine } from '../../../bots/admin/networks.ts'
import { runBridge } from '../../../bots/bridge/run.ts'
import { until } from '../../../bots/bridge/testing.ts'
import { networkStatuses } from '../../../core/ledger/settings/networks.ts'
import { House } from '../../../test/house.ts'
import { makeCertificate } from '../../irc/server/certificate.ts'
import { config, web } from '../testing/world.ts'
import { Renewal, readPair } from './tls.ts'

class Files {
  readonly folder = mkdtempSync(join(tmpdir(), 'chanop-tls-'))
  readonly certificate = join(this.folder, 'cert.pem')
  readonly key = join(this.folder, 'key.pem')

  constructor(t: TestContext) {
    t.after(() => rmSync(this.folder, { recursive: true, force: true }))
  }

  async put(days = 30): Promise<string> {
    const { certificatePem, keyPem } = await makeCertificate(['127.0.0.1'], days)
    writeFileSync(this.key, keyPem)
    writeFileSync(this.certificate, certificatePem)
    return new X509Certificate(certificatePem).fingerprint256
  }
}

const print = ({ options }: ReturnType<typeof readPair>): string =>
  new X509Certificate(options.cert as Buffer).fingerprint256

async function meet(port: number): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  return socket
}

/** One request on a connection that stays open. */
async function ask(socket: TLSSocket): Promise<string> {
  socket.write('GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
  const [answer] = (await once(socket, 'data')) as [Buffer]
  return answer.toString().split('\r\n')[0] ?? ''
}

describe('a certificate and its key', () => {
  it('are read again when they changed, and a bad pair is said at the second look while the old one stays', async t => {
    const files = new Files(t)
    const first = await files.put()
    const renewed: string[] = []
    const said: (string | null)[] = []
    const pair = readPair(files)
    assert.equal(print(pair), first)
    const renewal = new Renewal(files, pair, { renewed: one => renewed.push(print(one)), said: one => said.push(one) })
    const look = (times: number): void => {
      for (let n = 0; n < times; n++) renewal.look(Date.now())
    }
    look(3)
    const second = await files.put()
    look(2)
    assert.deepEqual(renewed.at(-1), second)
    assert.deepEqual(said, [])

    const { keyPem, certificatePem } = await makeCertificate(['127.0.0.1'])
    writeFileSync(files.certificate, certificatePem)
    look(1)
    assert.deepEqual(said, [], 'the key may be on its way')
    look(3)
    assert.match(
      said.join('\n'),
      /^the certificate from before stays: tls\.key \S+key\.pem is not the key of \S+cert\.pem/,
    )
    const before = renewed.length
    writeFileSync(files.key, keyPem)
    look(2)
    assert.equal(said.at(-1), null)
    assert.deepEqual(renewed.slice(before), [new X509Certificate(certificatePem).fingerprint256])

    for (const [break_, words] of [
      [() => writeFileSync(files.certificate, 'nonsense'), /holds no certificate in PEM/],
      [() => rmSync(files.key), /can not be read \(ENOENT\)|holds no certificate/],
    ] as const) {
      break_()
      look(2)
      assert.match(said.at(-1) ?? '', words)
    }
    await files.put(-0.5)
    look(2)
    assert.match(said.at(-1) ?? '', /cert\.pem ended on \d{4}-\d\d-\d\d$/)
    assert.equal(renewed.length, before + 1)
  })

  it('are followed through links that are swapped', async t => {
    const [old, young] = [new Files(t), new Files(t)]
    const folder = new Files(t).folder
    await old.put()
    const wanted = await young.put()
    const live = join(folder, 'live')
    symlinkSync(old.folder, live)
    const files = { certificate: join(live, 'cert.pem'), key: join(live, 'key.pem') }
    const renewed: string[] = []
    const renewal = new Renewal(files, readPair(files), {
      renewed: one => renewed.push(print(one)),
      said: trouble => assert.fail(`${trouble}`),
    })
    symlinkSync(young.folder, `${live}.new`)
    renameSync(`${live}.new`, live)
    renewal.look(Date.now())
    assert.deepEqual(renewed, [wanted])
  })

  it('are those of new connections without a restart; open ones go on, and what is wrong is in the status', async t => {
    const files = new Files(t)
    const tls = `tls: { certificate: '${files.certificate}', key: '${files.key}' }`
    const house = new House(t, { config: config({ http: tls }) })
    const status = () => house.ledger.read(tx => networkStatuses(tx).find(({ network }) => network === web))
    await house.run('bridge', runBridge)
    await until(async () => /tls\.certificate \S+ can not be read/.test((await status())?.reason ?? ''), 'the trouble')
    const first = await files.put()
    const address = await until(async () => {
      const now = await status()
      return now?.state === 'up' ? now.address : undefined
    }, 'it to be up')
    const port = Number(new URL(address).port)
    const early = await meet(port)
    t.after(() => early.destroy())
    assert.equal(early.getPeerX509Certificate()?.fingerprint256, first)
    assert.match(await ask(early), /200/)
    const second = await files.put()
    await until(async () => {
      const late = await meet(port)
      const met = late.getPeerX509Certificate()?.fingerprint256
      late.destroy()
      return met === second
    }, 'the new certificate')
    writeFileSync(files.certificate, 'nonsense')
    const troubled = await until(async () => {
      const now = await status()
      return now?.reason === undefined ? null : now
    }, 'the trouble')
    assert.match(networkLine(troubled, Date.now(), false), /^web up .*the certificate from before stays/)
    const late = await meet(port)
    assert.equal(late.getPeerX509Certificate()?.fingerprint256, second)
    late.destroy()
    assert.match(await ask(early), /200/)
    await files.put()
    await until(async () => (await status())?.reason === undefined, 'that it is well again')
  })
})
