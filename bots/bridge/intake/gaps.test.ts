import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeServer } from '../../../adapters/irc/testing/fake.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { House } from '../../../test/house.ts'
import { runBridge } from '../run.ts'
import { until } from '../testing.ts'

test('what could not be had is said in the room’s places, once for each outage and place', async t => {
  const server = await FakeServer.start(t, {
    capabilities: ['message-tags', 'batch', 'labeled-response', 'echo-message'],
  })
  const house = new House(t, {
    config: `
owner: chat:olga
networks:
  chat: { kind: memory, server: '{server}-a', channels: ['#general'] }
  net: { kind: irc, host: 127.0.0.1, port: ${server.port}, tls: false, nick: bridge, channels: ['#one', '#two'], flood: null, personas: false }
rooms:
  general: { places: ['chat:#general', 'net:#one', 'net:#two'], open: true }
`,
  })
  await house.run('bridge', runBridge)
  const olga = house.server('a').user('olga')
  olga.join('#general')
  const said = (to: string): string[] =>
    server.lines.filter(line => line.includes(`PRIVMSG ${to} `) || line.includes(`NOTICE ${to} `))
  /** Both channels pass what is said. */
  const heard = (words: string): Promise<unknown> =>
    until(() => ['#one', '#two'].every(to => said(to).some(line => line.includes(words))), words)
  olga.say('#general', 'first')
  await heard('first')
  const gaps = (to: string): string[] => said(to).filter(line => line.includes('may be missing'))
  /** Nothing is under way: else a connection that breaks makes repeats, which are labelled. */
  const settled = (): Promise<unknown> =>
    until(
      () => house.ledger.read(db => sql(db, 'SELECT count(*) AS n FROM delivery WHERE state < 10').get()?.['n'] === 0),
      'all deliveries',
    )
  for (const outage of [1, 2]) {
    await settled()
    server.clients.at(-1)?.socket.destroy()
    await until(() => server.connections === outage + 1, 'the next connection')
    olga.say('#general', `again ${outage}`)
    await heard(`again ${outage}`)
    await until(() => ['#one', '#two'].every(to => gaps(to).length === outage * 2), 'the lines')
  }
  const places = (line: string): string => /in (net:#\w+) between/.exec(line)?.[1] ?? line
  for (const to of ['#one', '#two']) {
    assert.deepEqual(gaps(to).map(places).toSorted(), ['net:#one', 'net:#one', 'net:#two', 'net:#two'])
    for (const line of gaps(to)) assert.match(line, /NOTICE .*this server keeps no history/)
  }
  const here = house
    .server('a')
    .transcript()
    .split('\n')
    .filter(line => line.includes('may be missing'))
  assert.equal(here.length, 4)
})
