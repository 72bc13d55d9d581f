import assert from 'node:assert/strict'
import { it } from 'node:test'
import { crc32 } from 'node:zlib'
import { seeded, seedOf } from '../contract/random.ts'
import { cleanerFor } from './location.ts'

const place = 'SECRET PLACE 52.5200N'
const latin = (text: string): Buffer => Buffer.from(text, 'latin1')
const be16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255])
const be32 = (value: number): Buffer =>
  Buffer.from([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255])
const le32 = (value: number): Buffer => be32(value).reverse()

/** TIFF with a turning, who took it, when and with what, and a directory that says where. */
function tiff(orientation: number): Buffer {
  const gps = 8 + 2 + 4 * 12 + 4
  const text = gps + 2 + 12 + 4
  const entry = (tag: number, type: number, count: number, value: Buffer): Buffer =>
    Buffer.concat([be16(tag), be16(type), be32(count), value])
  return Buffer.concat([
    latin('MM\0*'),
    be32(8),
    be16(4),
    entry(0x0110, 2, 4, latin('CAM\0')),
    entry(0x0112, 3, 1, Buffer.concat([be16(orientation), be16(0)])),
    entry(0x8769, 4, 1, be32(text + place.length)),
    entry(0x8825, 4, 1, be32(gps)),
    be32(0),
    be16(1),
    entry(2, 2, place.length, be32(text)),
    be32(0),
    latin(place),
    be16(1),
    entry(0x9003, 2, 4, latin('1999')),
    be32(0),
  ])
}

const segment = (marker: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0xff, marker]), be16(body.length + 2), body])
const chunk = (type: string, body: Buffer): Buffer =>
  Buffer.concat([be32(body.length), latin(type), body, be32(crc32(Buffer.concat([latin(type), body])))])
const riff = (type: string, body: Buffer): Buffer =>
  Buffer.concat([latin(type), le32(body.length), body, Buffer.alloc(body.length % 2)])
const xmp = latin(`http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>${place}</x:xmpmeta>`)
const scan = Buffer.from([1, 2, 0xff, 0, 3, 0xff, 0xd0, 4])

const pictures = {
  jpeg: Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xe0, latin('JFIF\0')),
    segment(0xe1, Buffer.concat([latin('Exif\0\0'), tiff(6)])),
    segment(0xe1, xmp),
    segment(0xe2, latin('ICC_PROFILE\0colours')),
    segment(0xe2, latin(`MPF\0${place}`)),
    segment(0xed, latin(`Photoshop 3.0\0${place}`)),
    segment(0xfe, latin(place)),
    segment(0xdb, latin('tables')),
    segment(0xda, latin('first')),
    scan,
    segment(0xc4, latin('more tables')),
    segment(0xda, latin('second')),
    scan,
    Buffer.from([0xff, 0xd9]),
    latin(`ftypmp4 ${place}`),
  ]),
  png: Buffer.concat([
    latin('\u0089PNG\r\n\u001a\n'),
    chunk('IHDR', Buffer.alloc(13)),
    chunk('eXIf', tiff(3)),
    chunk('tEXt', latin(`Comment\0${place}`)),
    chunk('zTXt', latin(place)),
    chunk('iTXt', latin(`XML:com.adobe.xmp\0${place}`)),
    chunk('prVt', latin(place)),
    chunk('iCCP', latin('colours')),
    chunk('IDAT', latin('pixels')),
    chunk('IEND', Buffer.alloc(0)),
    latin(place),
  ]),
  webp: riff(
    'RIFF',
    Buffer.concat([
      latin('WEBP'),
      riff('VP8X', Buffer.from([0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
      riff('ICCP', latin('colours')),
      riff('VP8 ', latin('pixels.')),
      riff('EXIF', tiff(8)),
      riff('XMP ', xmp),
    ]),
  ),
  gif: Buffer.concat([
    latin('GIF89a'),
    Buffer.from([1, 0, 1, 0, 0x80, 0, 0, 1, 2, 3, 4, 5, 6]),
    Buffer.from([0x21, 0xff, 11]),
    latin('NETSCAPE2.0'),
    Buffer.from([3, 1, 0, 0, 0]),
    Buffer.from([0x21, 0xff, 11]),
    latin('XMP DataXMP'),
    Buffer.from([place.length]),
    latin(place),
    Buffer.from([0]),
    Buffer.from([0x21, 0xfe, place.length]),
    latin(place),
    Buffer.from([0]),
    Buffer.from([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x4c, 1, 0, 0x3b]),
    latin(place),
  ]),
  tiff: Buffer.concat([tiff(6), latin('pixels')]),
  heic: Buffer.concat([
    be32(24),
    latin('ftypheic'),
    Buffer.alloc(12),
    latin('Exif\0\0'),
    tiff(6),
    xmp,
    latin('pixels'),
  ]),
  jxl: Buffer.concat([be32(12), latin('JXL \r\n\u0087\n'), latin('Exif'), be32(0), tiff(1), xmp, latin('pixels')]),
  'HEIF of another brand': Buffer.concat([be32(24), latin('ftypmif2'), Buffer.alloc(12), tiff(1), latin('pixels')]),
}

const clean = (bytes: Buffer): Buffer => cleanerFor(bytes.subarray(0, 16))?.(bytes) ?? assert.fail('no picture')

for (const [kind, bytes] of Object.entries(pictures)) {
  it(`${kind}: says no more where it was taken, and shows what it did`, () => {
    assert.ok(bytes.includes(place), 'the case is one')
    const out = clean(bytes)
    for (const said of ['SECRET', 'CAM\0', '1999']) assert.equal(out.includes(said), false, said)
    for (const kept of ['JFIF', 'colours', 'tables', 'second', 'pixels', 'NETSCAPE2.0', 'IHDR', 'VP8X', 'ftypheic'])
      if (bytes.includes(kept)) assert.ok(out.includes(kept), kept)
    if (kind === 'jpeg') assert.equal(out.filter((_, at) => out.subarray(at, at + scan.length).equals(scan)).length, 2)
    assert.deepEqual(clean(out), out, 'cleaned once more it is the same: the turning was kept')
  })
}

it('the turning is kept, in the form of each kind', () => {
  const turned = { jpeg: 6, png: 3, webp: 8 }
  for (const [kind, orientation] of Object.entries(turned)) {
    const out = clean(pictures[kind as keyof typeof turned])
    const at = out.indexOf('MM\0*')
    assert.ok(at > 0, kind)
    assert.deepEqual([out.readUInt16BE(at + 10), out.readUInt16BE(at + 18)], [0x0112, orientation])
  }
  const { webp } = pictures
  assert.equal(clean(webp).readUInt32LE(4) + 8, clean(webp).length)
})

it('a picture of nothing but directories keeps us no longer than any other', () => {
  const mark = Buffer.concat([latin('II*\0'), le32(8), Buffer.from([0xff, 0xff])])
  const bytes = Buffer.concat(Array.from({ length: 400_000 }, () => mark))
  const before = process.cpuUsage()
  assert.equal(clean(bytes).length, bytes.length)
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 3_000_000, `${user + system} µs of a processor`)
})

/** Refused, and at once. */
function refused(bytes: Buffer): void {
  const before = process.cpuUsage()
  assert.throws(() => clean(bytes), { code: 'media-refused' })
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 2_000_000, `${user + system} µs of a processor`)
}

/** A directory of as many entries as there can be, each the same. */
function directory(tag: number, count: number, value: number): Buffer {
  const entry = Buffer.alloc(12)
  entry.writeUInt16LE(tag)
  entry.writeUInt16LE(1, 2)
  entry.writeUInt32LE(count, 4)
  entry.writeUInt32LE(value, 8)
  return Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.alloc(12 * 0xffff, entry)])
}

it('directories in directories, and values that lie over each other, are refused', () => {
  const head = Buffer.concat([latin('II*\0'), le32(8)])
  const second = 8 + 2 + 12 * 0xffff
  refused(Buffer.concat([head, directory(0x8825, 0, second), directory(0x8825, 0, second), Buffer.alloc(16)]))
  refused(Buffer.concat([head, directory(0x010e, 700_000, second), Buffer.alloc(700_000)]))
})

it('a picture of more parts than any has is refused, whatever its kind', () => {
  const webpHead = Buffer.concat([latin('RIFF'), le32(0), latin('WEBP')])
  const parts: readonly (readonly [head: Buffer, part: Buffer])[] = [
    [latin('GIF89a\0\0\0\0\0\0\0'), Buffer.from([0x21, 0xf9, 0])],
    [Buffer.from([0xff, 0xd8]), segment(0xdb, Buffer.alloc(0))],
    [pictures.png.subarray(0, 8), chunk('IDAT', Buffer.alloc(0))],
    [webpHead, riff('ALPH', Buffer.alloc(0))],
  ]
  for (const [head, part] of parts) {
    const some = Buffer.concat([head, Buffer.alloc(100_000 * part.length, part)])
    assert.ok(clean(some).length >= some.length, 'half as many are taken')
    refused(Buffer.concat([some, Buffer.alloc(100_001 * part.length, part)]))
  }
})

it('whatever is damaged, nothing is thrown, and nothing of other kinds is touched', t => {
  const seed = seedOf()
  t.diagnostic(`seed ${seed}`)
  const random = seeded(seed)
  for (const bytes of Object.values(pictures)) {
    for (let n = 0; n < 400; n++) {
      const bent = Buffer.from(bytes.subarray(0, 16 + Math.floor(random() * bytes.length)))
      for (let k = 0; k < 3; k++) bent[16 + Math.floor(random() * (bent.length - 16))] = Math.floor(random() * 256)
      clean(bent)
    }
  }
  for (const other of ['', 'hello', '%PDF-1.7', 'PK\u0003\u0004', '\0\0\0\u0018ftypmp42'])
    assert.equal(cleanerFor(latin(other)), null)
})
