import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { fingerprintOf, makeCertificate } from './certificate.ts'

test('a client that trusts the certificate accepts it for each of its names', async t => {
  const { certificatePem, keyPem } = await makeCertificate(['irc.chanop.local', 'localhost', '127.0.0.1', '::1'])
  const server = createServer({ cert: certificatePem, key: keyPem }, socket => socket.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  for (const servername of ['irc.chanop.local', 'localhost']) {
    const socket = connect({ host: '127.0.0.1', port, servername, ca: certificatePem })
    await once(socket, 'secureConnect')
    assert.equal(socket.authorized, true)
    assert.equal(
      socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase(),
      fingerprintOf(certificatePem),
    )
    socket.destroy()
  }
  const stranger = connect({ host: '127.0.0.1', port, servername: 'example.org', ca: certificatePem })
  const [error] = (await once(stranger, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ERR_TLS_CERT_ALTNAME_INVALID')
})

test('it is well formed, and valid from yesterday for the days that were asked for', async () => {
  const now = new Date('2026-03-04T05:06:07Z')
  const made = new X509Certificate((await makeCertificate(['one', '127.0.0.1', '::1'], 10, now)).certificatePem)
  assert.equal(made.validFromDate.toISOString(), '2026-03-03T05:06:07.000Z')
  assert.equal(made.validToDate.toISOString(), '2026-03-14T05:06:07.000Z')
  assert.equal(made.subjectAltName, 'DNS:one, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1')
  assert.ok(made.verify(made.publicKey) && made.checkIssued(made))
  const late = new X509Certificate((await makeCertificate(['one'], 3650, new Date('2045-01-01'))).certificatePem)
  assert.equal(late.validToDate.getUTCFullYear(), 2054)
})
