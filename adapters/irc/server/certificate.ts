/** A self-signed X.509 v3 certificate (RFC 5280) on P-256, made without any outside program. */
import { createHash, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'
import { isIPv4 } from 'node:net'

export interface Certificate {
  readonly certificatePem: string
  readonly keyPem: string
}

const tlv = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts)
  const size =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}
const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts)
const hex = (bytes: string): Buffer => Buffer.from(bytes, 'hex')

/** OBJECT IDENTIFIERs in DER. */
const oid = {
  ecdsaWithSha256: hex('06082a8648ce3d040302'),
  commonName: hex('0603550403'),
  subjectAltName: hex('0603551d11'),
  basicConstraints: hex('0603551d13'),
  serverAuth: hex('06082b06010505070301'),
  extendedKeyUsage: hex('0603551d25'),
}

/** UTCTime holds two-digit years and so serves until 2049; GeneralizedTime after that (RFC 5280, 4.1.2.5). */
function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)
  return date.getUTCFullYear() < 2050
    ? tlv(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : tlv(0x18, Buffer.from(`${digits}Z`))
}

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map(host => {
    if (isIPv4(host)) return tlv(0x87, Buffer.from(host.split('.').map(Number)))
    return host === '::1'
      ? tlv(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])]))
      : tlv(0x82, Buffer.from(host))
  })
  return sequence(oid.subjectAltName, tlv(0x04, sequence(...names)))
}

/** `hosts`: DNS names, IPv4 addresses or `::1`; the first is the common name. */
export function makeCertificate(
  hosts: readonly [string, ...string[]],
  days = 3650,
  now: Date = new Date(),
): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(tlv(0x31, sequence(oid.commonName, tlv(0x0c, Buffer.from(hosts[0])))))
  const algorithm = sequence(oid.ecdsaWithSha256)
  const serial = Buffer.concat([Buffer.from([0x40]), randomBytes(15)])
  const constraints = sequence(oid.basicConstraints, hex('0101ff'), tlv(0x04, sequence(hex('0101ff'))))
  const usage = sequence(oid.extendedKeyUsage, tlv(0x04, sequence(oid.serverAuth)))
  const unsigned = sequence(
    tlv(0xa0, hex('020102')),
    tlv(0x02, serial),
    algorithm,
    name,
    sequence(time(new Date(now.getTime() - 86_400_000)), time(new Date(now.getTime() + days * 86_400_000))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(alternativeNames(hosts), constraints, usage)),
  )
  const whole = sequence(unsigned, algorithm, tlv(0x03, Buffer.from([0]), sign('sha256', unsigned, privateKey)))
  const base64 = (whole.toString('base64').match(/.{1,64}/g) ?? []).join('\n')
  return {
    certificatePem: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** SHA-256 of the certificate, lower-case hex: what clients pin. */
export const fingerprintOf = (certificatePem: string): string =>
  createHash('sha256').update(new X509Certificate(certificatePem).raw).digest('hex')
