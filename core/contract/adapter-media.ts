import { strict as assert } from 'node:assert'
import { type Check, draft, needs, upload, type World, within } from './harness.ts'

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, n) => (n * 7 + (n >> 8)) % 256)
const never = new AbortController().signal

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

const last = async (world: World) => (await world.platform.seen()).at(-1)

/** Files, both ways. */
export function mediaContract(check: Check): void {
  check('a file of a message can be opened, as often as one likes, and its ref holds no address', async world => {
    const { adapter } = await world.start()
    needs(adapter.open !== undefined && world.platform.share !== undefined, 'file to open')
    const file = { name: 'notes ü.bin', bytes: bytes(70_000) }
    await world.platform.share('have a look', file)
    const { content } = await world.book.hears('have a look')
    const [attachment, ...more] = content.attachments ?? []
    assert.ok(attachment && more.length === 0)
    assert.equal(attachment.name, file.name)
    assert.equal(attachment.sizeBytes ?? file.bytes.length, file.bytes.length)
    for (const known of [attachment.ref, attachment.url ?? '']) assert.doesNotMatch(known, /token|xox|bot\d+:|access_/i)
    for (const _ of [1, 2])
      assert.deepEqual(await collect(await adapter.open(attachment, never)), Buffer.from(file.bytes))
  })

  check('a file that is gone is not found, for good', async world => {
    const { adapter } = await world.start()
    needs(adapter.open !== undefined, 'file to open')
    const gone = { ref: 'nothing-has-this-ref', name: 'gone' }
    await assert.rejects(async () => collect(await within(adapter.open?.(gone, never) as never, 'open')), {
      retry: 'never',
    })
  })

  check('a draft’s files are uploaded with its words, and each message has its id', async world => {
    const { adapter } = await world.start()
    needs(adapter.limits.fileBytes !== undefined, 'upload')
    const uploads = [upload('a.bin', bytes(10)), upload('b ü.txt', bytes(70_000))]
    const ids = await within(adapter.send(world.place, { ...draft('two files'), uploads }, 'files-1'), 'send')
    const seen = await world.platform.seen()
    assert.equal(ids.length, seen.length)
    assert.ok(seen.some(({ text }) => text.includes('two files')))
    const files = seen.flatMap(message => message.files ?? [])
    assert.deepEqual(
      files.map(file => Buffer.from(file)),
      uploads.map((_, n) => Buffer.from(bytes(n === 0 ? 10 : 70_000))),
    )
  })

  check('files without words are sent too', async world => {
    const { adapter } = await world.start()
    needs(adapter.limits.fileBytes !== undefined, 'upload')
    const uploads = [upload('alone.bin', bytes(300))]
    const ids = await within(adapter.send(world.place, { content: { segments: [] }, uploads }, 'files-2'), 'send')
    assert.ok(ids.length > 0)
    assert.deepEqual(
      (await last(world))?.files?.map(file => file.length),
      [300],
    )
  })

  check('a file that can not go along is words', async world => {
    const { adapter } = await world.start()
    const attachments = [{ ref: 'r', name: 'plan.pdf', sizeBytes: 9, url: 'https://files.example/plan.pdf' }]
    await within(adapter.send(world.place, { content: { ...draft('see').content, attachments } }, 'files-3'), 'send')
    const said = (await world.platform.seen()).map(({ text }) => text).join('\n')
    assert.match(said, /see/)
    assert.match(said, /plan\.pdf.*https:\/\/files\.example\/plan\.pdf/)
  })
}
