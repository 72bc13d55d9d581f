/** A self-signed certificate for the managed server, made without any outside program. */
import { createHash, randomBytes, subtle, type webcrypto, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

export interface Certificate {
  readonly certificatePem: string
  readonly keyPem: string
}

const dayMs = 86_400_000
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** `hosts`: DNS names and IP addresses; the first is the common name. Valid from yesterday for `days`. */
export async function makeCertificate(
  hosts: readonly [string, ...string[]],
  days = 3650,
  now: Date = new Date(),
): Promise<Certificate> {
  // Only who makes one pays for loading what makes it.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const keys = (await subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const names = hosts.map(host => new x509.GeneralName(isIP(host) ? 'ip' : 'dns', host))
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: `40${randomBytes(15).toString('hex')}`,
    name: [{ CN: [hosts[0]] }],
    notBefore: new Date(now.getTime() - dayMs),
    notAfter: new Date(now.getTime() + days * dayMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.SubjectAlternativeNameExtension(names),
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ],
  })
  const key = x509.PemConverter.encode(await subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { certificatePem: `${certificate.toString('pem')}\n`, keyPem: `${key}\n` }
}

/** SHA-256 of the certificate, lower-case hex: what clients pin. */
export const fingerprintOf = (certificatePem: string): string =>
  createHash('sha256').update(new X509Certificate(certificatePem).raw).digest('hex')
