import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { fetchPublic, isPublic } from './fetch.ts'

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const soon = (): AbortSignal => AbortSignal.timeout(5000)

test('addresses that are not of the public internet', () => {
  const inside =
    '127.0.0.1 0.0.0.0 10.1.2.3 172.31.0.1 192.168.1.1 169.254.169.254 100.100.0.1 198.18.0.1 224.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 fe80::1 fc00::1 fd12::1 ff02::1 2002:7f00:1:: 2001:0:1:: 2001:db8::1 ::7f00:1 localhost'
  for (const address of inside.split(' ')) assert.equal(isPublic(address), false, address)
  for (const address of ['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001::1'])
    assert.equal(isPublic(address), true, address)
})

test('nothing inside is asked, however its address is written or reached', async t => {
  let asked = 0
  const port = Number((await serve(t, (_, response) => (asked++, response.end('secret')))).split(':')[2])
  const inside = async () => [{ address: '127.0.0.1', family: 4 as const }]
  for (const host of [
    '127.0.0.1',
    '127.1',
    '0x7f000001',
    '2130706433',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0',
    'localhost',
    '0177.0.0.1',
    '0x7f.1',
    '127.0.0.1.',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:7f00:0001]',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    '%31%32%37.0.0.1',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
  ])
    await assert.rejects(fetchPublic(`http://${host}:${port}/`, { signal: soon() }), { message: /not public/ }, host)
  await assert.rejects(fetchPublic(`http://evil.example:${port}/`, { signal: soon(), resolve: inside }), {
    message: /not public/,
  })
  const both = async () => [{ address: '8.8.8.8', family: 4 as const }, ...(await inside())]
  await assert.rejects(fetchPublic(`http://evil.example:${port}/`, { signal: soon(), resolve: both }), {
    message: /not public/,
  })
  for (const wrong of ['file:///etc/passwd', 'ftp://x', 'http://a:b@example.org/', 'gopher://x', '//x', ''])
    await assert.rejects(fetchPublic(wrong, { signal: soon() }), { code: 'media-refused' }, wrong)
  assert.equal(asked, 0)
  const nowhere = () => Promise.reject(new Error('getaddrinfo ENOTFOUND'))
  await assert.rejects(fetchPublic('http://nowhere.example/', { signal: soon(), resolve: nowhere }), {
    code: 'network-down',
  })
})

test('what is trusted is fetched; where it leads is looked at anew, and told nothing that was for it', async t => {
  const seen: (string | undefined)[] = []
  const other = await serve(t, ({ headers }, response) => {
    seen.push(headers.authorization)
    response.end('other')
  })
  const own = await serve(t, ({ url, headers }, response) => {
    seen.push(headers.authorization)
    const to = {
      '/inside': 'http://10.0.0.1/',
      '/local': other,
      '/on': '/file',
      '/round': '/round',
      '/file:': 'file:///etc',
    }[url ?? '']
    if (to) response.writeHead(302, { location: to }).end()
    else if (url === '/gone') response.writeHead(404).end()
    else if (url === '/busy') response.writeHead(503).end()
    else response.writeHead(200, { 'content-type': 'image/png' }).end('bytes')
  })
  const headers = { authorization: 'Bearer token' }
  const get = (path: string, trusted = [own]) => fetchPublic(`${own}${path}`, { signal: soon(), trusted, headers })
  const file = await get('/on')
  assert.deepEqual([file.url, file.type], [`${own}/file`, 'image/png'])
  assert.equal((await buffer(Readable.from(file.body))).toString(), 'bytes')
  await assert.rejects(get('/inside'), { message: /not public/ })
  await assert.rejects(get('/local'), { message: /not public/ })
  await assert.rejects(get('/round'), { message: 'it leads on and on' })
  await assert.rejects(get('/file:'), { code: 'media-refused' })
  await assert.rejects(get('/gone'), { code: 'not-found' })
  await assert.rejects(get('/busy'), { code: 'network-down' })
  seen.length = 0
  await get('/local', [own, other])
  assert.deepEqual(seen, ['Bearer token', undefined])
})

test('a body without end, one that ends too soon, and one of nothing', async t => {
  const gone = Promise.withResolvers<void>()
  const own = await serve(t, ({ url }, response) => {
    if (url === '/short') {
      response.writeHead(200, { 'content-length': '1000' }).write('short')
      setTimeout(() => response.destroy(), 20)
    } else if (url === '/none') response.writeHead(200, { 'content-length': '0' }).end()
    else {
      response.on('close', gone.resolve)
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64_000)));
      }
      response.on('drain', more)
      more()
    }
  })
  const get = async (path: string) => (await fetchPublic(`${own}${path}`, { signal: soon(), trusted: [own] })).body
  let bytes = 0
  for await (const piece of await get('/endless')) if ((bytes += piece.length) > 1_000_000) break
  await gone.promise
  await assert.rejects(buffer(Readable.from(await get('/short'))), /aborted|terminated|hang up|reset/)
  assert.equal((await buffer(Readable.from(await get('/none')))).length, 0)
})

test('servers that send each other round end it, and none of them hears what is for another', async t => {
  const seen: string[] = []
  const others: string[] = []
  for (const at of [0, 1]) {
    others.push(
      await serve(t, ({ headers, url }, response) => {
        seen.push(headers.authorization ?? '')
        response.writeHead(307, { location: `${others[1 - at]}${url}x` }).end()
      }),
    )
  }
  const headers = { authorization: 'Bearer token' }
  await assert.rejects(fetchPublic(`${others[0]}/`, { signal: soon(), trusted: others, headers }), {
    message: 'it leads on and on',
  })
  assert.deepEqual([seen[0], new Set(seen.slice(1))], ['Bearer token', new Set([''])])
  assert.ok(seen.length <= 6)
})

test('the address that was looked at is the one that is asked, whatever the name leads to then', async t => {
  const own = await serve(t, (_, response) => response.end('here'))
  const port = own.split(':')[2]
  let looked = 0
  const resolve = async () => {
    looked++
    return [{ address: looked === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 as const }]
  }
  const origin = `http://rebound.example:${port}`
  const { body } = await fetchPublic(`${origin}/`, { signal: soon(), trusted: [origin], resolve })
  assert.equal((await buffer(Readable.from(body))).toString(), 'here')
  assert.equal(looked, 1)
})
