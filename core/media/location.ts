/**
 * Takes out of a picture what it says besides what it shows: where and when it was taken, by whom, with what. Kept are the
 * turning, colours and animation. Bytes of other kinds are null. Pure; what is damaged is cut off where it ends to make sense,
 * and what is made to keep us busy is refused with `media-refused`.
 */
import { crc32 } from 'node:zlib'
import { ChanopError } from '../error.ts'

/** The beginning tells the kind. */
export const headBytes = 16

type Clean = (bytes: Buffer) => Buffer

/** No picture has so many; each is an object here. */
const mostParts = 200_000

function checkParts(count: number): void {
  if (count > mostParts) throw new ChanopError('media-refused', 'the picture is made of too many parts')
}

const ascii = (bytes: Buffer, at: number, length: number): string => bytes.toString('latin1', at, at + length)

// ---- Exif: the turning (TIFF 6.0, tag 0x0112) ----------------------------------------------------------------------

const orientationTag = 0x0112
/** Directories of where, and of when and with what. */
const directoryTags = new Set([0x8825, 0x8769])
/** What the first directory says of itself: description, maker, model, program, time, artist, host, copyright, XMP, IPTC and the like. */
const toldTags = new Set(
  [0x010e, 0x010f, 0x0110, 0x0131, 0x0132, 0x013b, 0x013c, 0x02bc, 0x83bb, 0x8298, 0x8649].concat([
    0x9c9b, 0x9c9c, 0x9c9d, 0x9c9e, 0x9c9f,
  ]),
)

interface Tiff {
  readonly bytes: Buffer
  readonly little: boolean
}

function tiffAt(bytes: Buffer): Tiff | null {
  const order = ascii(bytes, 0, 4)
  if (order !== 'II*\0' && order !== 'MM\0*') return null
  return bytes.length < 8 ? null : { bytes, little: order.startsWith('I') }
}

const u16 = ({ bytes, little }: Tiff, at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
const u32 = ({ bytes, little }: Tiff, at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))

/** Where the entries of a directory are: 12 bytes each. */
function entriesOf(tiff: Tiff, at: number): number[] {
  if (at < 8 || at + 2 > tiff.bytes.length) return []
  const count = Math.min(u16(tiff, at), Math.floor((tiff.bytes.length - at - 2) / 12))
  return Array.from({ length: count }, (_, n) => at + 2 + n * 12)
}

/** 1 to 8; 1 is as it is. */
function orientationOf(exif: Buffer): number {
  const tiff = tiffAt(ascii(exif, 0, 6) === 'Exif\0\0' ? exif.subarray(6) : exif)
  const entry = tiff && entriesOf(tiff, u32(tiff, 4)).find(at => u16(tiff, at) === orientationTag)
  const value = tiff && entry !== undefined && entry !== null ? u16(tiff, entry + 8) : 1
  return value >= 1 && value <= 8 ? value : 1
}

/** Exif that says the turning alone. */
function exifOf(orientation: number): Buffer {
  const exif = Buffer.alloc(26)
  exif.write('MM\0*\0\0\0\u0008', 'latin1')
  exif.writeUInt16BE(1, 8)
  exif.writeUInt16BE(orientationTag, 10)
  exif.writeUInt16BE(3, 12)
  exif.writeUInt32BE(1, 14)
  exif.writeUInt16BE(orientation, 18)
  return exif
}

// ---- JPEG (ITU-T T.81, annex B) ---------------------------------------------------------------------------------------

const [soi, eoi, sos, app0, comment] = [0xd8, 0xd9, 0xda, 0xe0, 0xfe]

/** JFIF, colour profiles and Adobe's transform. */
const keptApp = (marker: number, body: Buffer): boolean =>
  marker === app0 || (marker === 0xe2 && ascii(body, 0, 11) === 'ICC_PROFILE') || marker === 0xee

/** Where the coded picture that begins at `at` ends: at the next marker that is none of its own. */
function scanEnd(bytes: Buffer, at: number): number {
  for (
    let next = bytes.indexOf(0xff, at);
    next !== -1 && next + 1 < bytes.length;
    next = bytes.indexOf(0xff, next + 1)
  ) {
    const marker = bytes[next + 1] as number
    if (marker !== 0 && marker !== 0xff && (marker < 0xd0 || marker > 0xd7)) return next
  }
  return bytes.length
}

function jpeg(bytes: Buffer): Buffer {
  const head: Buffer[] = []
  const rest: Buffer[] = []
  let orientation = 1
  for (let at = 2, parts = 0; at + 4 <= bytes.length && bytes[at] === 0xff; checkParts(++parts)) {
    const marker = bytes[at + 1] as number
    if (marker === 0xff) {
      at++
      continue
    }
    if (marker === eoi) break
    const end = at + 2 + bytes.readUInt16BE(at + 2)
    if (end > bytes.length || end < at + 4) break
    const body = bytes.subarray(at + 4, end)
    const isApp = marker >= app0 && marker <= 0xef
    if (marker === 0xe1 && ascii(body, 0, 6) === 'Exif\0\0') orientation = orientationOf(body)
    if (marker === app0) head.push(bytes.subarray(at, end))
    else if (isApp ? keptApp(marker, body) : marker !== comment) rest.push(bytes.subarray(at, end))
    at = end
    if (marker !== sos) continue
    at = scanEnd(bytes, end)
    rest.push(bytes.subarray(end, at))
  }
  const exif =
    orientation === 1 ? [] : [segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exifOf(orientation)]))]
  return Buffer.concat([Buffer.from([0xff, soi]), ...head, ...exif, ...rest, Buffer.from([0xff, eoi])])
}

function segment(marker: number, body: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0])
  head.writeUInt16BE(body.length + 2, 2)
  return Buffer.concat([head, body])
}

// ---- PNG (W3C, third edition) ------------------------------------------------------------------------------------------

const shownChunks = new Set(
  'IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs sPLT acTL fcTL fdAT'.split(' '),
)

function png(bytes: Buffer): Buffer {
  const kept: Buffer[] = [bytes.subarray(0, 8)]
  let orientation = 1
  for (let at = 8, parts = 0; at + 12 <= bytes.length; checkParts(++parts)) {
    const end = at + 12 + bytes.readUInt32BE(at)
    if (end > bytes.length) break
    const type = ascii(bytes, at + 4, 4)
    if (type === 'eXIf') orientation = orientationOf(bytes.subarray(at + 8, end - 4))
    if (shownChunks.has(type)) kept.push(bytes.subarray(at, end))
    at = end
    if (type === 'IEND') break
  }
  if (orientation !== 1) kept.splice(2, 0, pngChunk('eXIf', exifOf(orientation)))
  return Buffer.concat(kept)
}

function pngChunk(type: string, body: Buffer): Buffer {
  const chunk = Buffer.alloc(body.length + 12)
  chunk.writeUInt32BE(body.length)
  chunk.write(type, 4, 'latin1')
  body.copy(chunk, 8)
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4)
  return chunk
}

// ---- WebP (RFC 9649) ------------------------------------------------------------------------------------------------------

const webpChunks = new Set(['VP8 ', 'VP8L', 'VP8X', 'ANIM', 'ANMF', 'ALPH', 'ICCP'])
const [exifFlag, xmpFlag] = [0x08, 0x04]

function webp(bytes: Buffer): Buffer {
  const kept: Buffer[] = []
  let orientation = 1
  for (let at = 12, parts = 0; at + 8 <= bytes.length; checkParts(++parts)) {
    const size = bytes.readUInt32LE(at + 4)
    const end = at + 8 + size + (size % 2)
    if (at + 8 + size > bytes.length) break
    const type = ascii(bytes, at, 4)
    if (type === 'EXIF') orientation = orientationOf(bytes.subarray(at + 8, at + 8 + size))
    if (webpChunks.has(type)) kept.push(Buffer.from(bytes.subarray(at, end)))
    at = end
  }
  const extended = kept.find(chunk => ascii(chunk, 0, 4) === 'VP8X')
  const turned = orientation !== 1 && extended !== undefined
  if (extended && extended.length > 8) {
    extended[8] = ((extended[8] as number) & ~(exifFlag | xmpFlag)) | (turned ? exifFlag : 0)
  }
  if (turned) kept.push(riffChunk('EXIF', exifOf(orientation)))
  const body = Buffer.concat([Buffer.from('WEBP', 'latin1'), ...kept])
  return riffChunk('RIFF', body)
}

function riffChunk(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.write(type, 'latin1')
  head.writeUInt32LE(body.length, 4)
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)])
}

// ---- GIF89a -----------------------------------------------------------------------------------------------------------------

const gifLoops = new Set(['NETSCAPE2.0', 'ANIMEXTS1.0'])

function gif(bytes: Buffer): Buffer {
  const table = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0)
  let at = 13 + table(bytes[10] ?? 0)
  const kept: Buffer[] = [bytes.subarray(0, at)]
  const blocksEnd = (from: number): number => {
    let end = from
    while (end < bytes.length && bytes[end] !== 0) end += (bytes[end] as number) + 1
    return end + 1
  }
  for (let parts = 0; at < bytes.length && bytes[at] !== 0x3b; checkParts(++parts)) {
    const label = bytes[at + 1]
    const isImage = bytes[at] === 0x2c
    if (!isImage && bytes[at] !== 0x21) break
    const end = isImage ? blocksEnd(at + 11 + table(bytes[at + 9] ?? 0)) : blocksEnd(at + 2)
    if (end > bytes.length) break
    const says = label === 0xfe || label === 1 || (label === 0xff && !gifLoops.has(ascii(bytes, at + 3, 11)))
    if (isImage || !says) kept.push(bytes.subarray(at, end))
    at = end
  }
  return Buffer.concat([...kept, Buffer.from([0x3b])])
}

// ---- kinds whose parts are named by their position: wiped where they stand ------------------------------------------------

/** A picture has a few: one that is made of nothing else would keep us busy for hours. */
const mostExifs = 200
/** For all of them together, in bytes that are written: directories can lie in each other, and values over each other. */
const mostWork = 300_000_000
const [entryWork, wipeWork] = [12, 100]

type Spend = (work: number) => void

function budget(): Spend {
  let left = mostWork
  return work => {
    left -= work
    if (left < 0) throw new ChanopError('media-refused', 'what the picture says of itself has no end')
  }
}

/** Exif of TIFF, HEIF, AVIF, JPEG XL and JPEG 2000 says nothing any more, and XMP is blank. */
function wiped(bytes: Buffer): Buffer {
  const out = Buffer.from(bytes)
  const spend = budget()
  for (const mark of ['II*\0', 'MM\0*']) {
    let at = out.indexOf(mark, 0, 'latin1')
    for (let n = 0; at !== -1 && n < mostExifs; n++) {
      wipeExif(out.subarray(at), spend)
      at = out.indexOf(mark, at + 4, 'latin1')
    }
  }
  for (let at = out.indexOf('<x:xmpmeta'); at !== -1; at = out.indexOf('<x:xmpmeta', at + 1)) {
    const end = out.indexOf('</x:xmpmeta>', at)
    out.fill(0x20, at, end === -1 ? out.length : end + 12)
  }
  return out
}

/** What is told in the first directory, and all of those it leads to. */
function wipeExif(bytes: Buffer, spend: Spend): void {
  const tiff = tiffAt(bytes)
  if (!tiff) return
  for (const entry of entriesOf(tiff, u32(tiff, 4))) {
    spend(entryWork)
    const tag = u16(tiff, entry)
    if (toldTags.has(tag)) wipeEntry(tiff, entry, spend)
    if (!directoryTags.has(tag)) continue
    for (const inner of entriesOf(tiff, u32(tiff, entry + 8))) {
      spend(entryWork)
      wipeEntry(tiff, inner, spend)
    }
  }
}

const sizes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8]

/** An entry's value, wherever it stands, and how much there is of it. */
function wipeEntry(tiff: Tiff, entry: number, spend: Spend): void {
  spend(wipeWork)
  const { bytes } = tiff
  const length = (sizes[u16(tiff, entry + 2)] ?? 8) * u32(tiff, entry + 4)
  const where = u32(tiff, entry + 8)
  if (length > 4 && where + length <= bytes.length) {
    spend(length)
    bytes.fill(0, where, where + length)
  }
  bytes.fill(0, entry + 4, entry + 12)
}

const heif = new Set(
  'heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1 miaf avif avis avio MiHB MiHE tmap'.split(' '),
)
/** Names of the first box of JPEG XL (ISO 18181-2) and JPEG 2000 (ISO 15444-1, annex I). */
const boxed = new Set(['JXL ', 'jP  '])

/** What cleans bytes that begin so; null: they are none of these pictures. */
export function cleanerFor(head: Buffer): Clean | null {
  if (head[0] === 0xff && head[1] === soi && head[2] === 0xff) return jpeg
  if (ascii(head, 0, 8) === '\u0089PNG\r\n\u001a\n') return png
  if (ascii(head, 0, 4) === 'RIFF' && ascii(head, 8, 4) === 'WEBP') return webp
  if (/^GIF8[79]a/.test(ascii(head, 0, 6))) return gif
  const box = ascii(head, 4, 4)
  if (tiffAt(head) || boxed.has(box) || (box === 'ftyp' && heif.has(ascii(head, 8, 4)))) return wiped
  return null
}
