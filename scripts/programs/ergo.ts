import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ChanopError } from '../../core/error.ts'
import { makeFolder, removedAfter } from '../../core/files.ts'
import { run } from './run.ts'

/** The release that is fetched when there is none: the one place that says it. */
export const ergoVersion = '2.19.1'

const releases = 'https://github.com/ergochat/ergo/releases/download'
/** Longest wait for the first and for every further byte. */
const silenceMs = 5000
const largestBytes = 200 * 1024 * 1024

const systems: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'linux',
  darwin: 'macos',
  freebsd: 'freebsd',
  openbsd: 'openbsd',
}
const machines: Partial<Record<NodeJS.Architecture, string>> = {
  x64: 'x86_64',
  arm64: 'arm64',
  arm: 'armv6',
  riscv64: 'riscv64',
}

/** The archive's name for this system, or null where none is released. */
export function archiveName(
  platform: NodeJS.Platform = process.platform,
  arch: NodeJS.Architecture = process.arch,
): string | null {
  const [system, machine] = [systems[platform], machines[arch]]
  return system && machine ? `ergo-${ergoVersion}-${system}-${machine}.tar.gz` : null
}

/**
 * Puts the pinned release into `bin/ergo`, after its SHA-256 was compared with the release's own list. CHANOP_ERGO_URL
 * names another place with the same layout (`<base>/v<version>/<file>`). Throws `setup-failed`, within 5 s when there
 * is no way out.
 */
export async function fetchErgo(bin: string, env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const archive = archiveName()
  if (!archive) throw new ChanopError('setup-failed', `no release for ${process.platform}-${process.arch}`)
  const base = `${(env['CHANOP_ERGO_URL'] || releases).replace(/\/+$/, '')}/v${ergoVersion}`
  const [sums, bytes] = await Promise.all([
    download(`${base}/ergo-${ergoVersion}-checksums.txt`),
    download(`${base}/${archive}`),
  ])
  const listed = sums
    .toString('utf8')
    .split('\n')
    .map(line => line.trim().split(/\s+\*?/))
    .find(([, name]) => name === archive)
  const actual = createHash('sha256').update(bytes).digest('hex')
  if (listed?.[0]?.toLowerCase() !== actual) {
    throw new ChanopError(
      'setup-failed',
      `${base}/${archive} does not have the checksum of its release, it was thrown away`,
    )
  }
  await unpack(bytes, bin)
}

async function download(url: string): Promise<Buffer> {
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(new Error(`no answer within ${silenceMs / 1000} s`)), silenceMs)
  try {
    const response = await fetch(url, { signal: silence.signal })
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`)
    const parts: Uint8Array[] = []
    let sizeBytes = 0
    for await (const part of response.body as ReadableStream<Uint8Array>) {
      timer.refresh()
      parts.push(part)
      sizeBytes += part.length
      if (sizeBytes > largestBytes) throw new Error('it is far too large')
    }
    return Buffer.concat(parts)
  } catch (error) {
    const { message, cause } = error as Error
    const { code, message: reason } = (cause ?? {}) as { code?: string; message?: string }
    const why = code ?? reason ?? message
    throw new ChanopError('setup-failed', `${url} can not be fetched (${why})`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

/** The archive holds one folder with the program and its texts; only the program is kept. */
async function unpack(bytes: Buffer, bin: string): Promise<void> {
  await makeFolder(bin)
  const folder = await mkdtemp(join(bin, '.ergo-'))
  await using _gone = removedAfter(folder)
  try {
    const archive = join(folder, 'archive.tar.gz')
    await writeFile(archive, bytes)
    await run('tar', ['-xzf', archive, '-C', folder])
    const inside = (await readdir(folder, { withFileTypes: true })).find(entry => entry.isDirectory())
    const program = join(folder, inside?.name ?? '', 'ergo')
    await chmod(program, 0o700)
    await rename(program, join(bin, 'ergo'))
  } catch (error) {
    throw new ChanopError('setup-failed', `Ergo's archive could not be unpacked (${String(error).split('\n')[0]})`, {
      cause: error,
    })
  }
}
