/**
 * `node test/turns.ts --questions 300 --kills 30 --seed N --server ergo`: questions to the oracle of a whole instance while `oracle`, `bridge` and
 * Redis are killed. Each question that was asked has one answer, or a decision that says why not; nothing is answered twice, and
 * every request that the model saw is in the books. After `bridge` was killed nothing is asked until it is in all rooms again.
 */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Talker } from '../bench/talk.ts'
import { begin, delta, finished, ModelServer, send, usage } from '../bots/oracle/models/testing-server.ts'
import { seeded } from '../core/contract/random.ts'
import { connect } from '../core/ledger/sqlite.ts'
import { Instance, killNow, until } from './instance.ts'
import { optionsOf } from './options.ts'

const options = optionsOf({ questions: 300, kills: 30, seed: Math.floor(Math.random() * 1e9), server: 'ergo' })
const rooms = Array.from({ length: 6 }, (_, n) => `#turns${n}`)
const betweenMs = 250
const settleMs = 120_000

interface Row {
  readonly text: string
  readonly answers: number | null
  readonly reason: string | null
  readonly state: number | null
}

/** Every question in the ledger, with what was decided about it and what became of its turn. */
function rowsOf(data: string): Row[] {
  const db = connect(join(data, 'ledger.db'), { readonly: true })
  try {
    return db
      .prepare(
        `SELECT e.body ->> '$.content.segments[0].text' AS text, d.answers, d.reason, t.state FROM event e
         LEFT JOIN decision d ON d.seq = e.seq LEFT JOIN turn t ON t.asked = e.seq
         WHERE e.kind = 'message' AND text LIKE 'oracle: question-%' ORDER BY e.seq`,
      )
      .all() as Row[]
  } finally {
    db.close()
  }
}

/** Tries in the books, and those of them that are still held. */
function booksOf(data: string): { tries: number; open: number } {
  const db = connect(join(data, 'ledger.db'), { readonly: true })
  try {
    return db.prepare('SELECT count(*) AS tries, coalesce(sum(booked = 0), 0) AS open FROM try').get() as never
  } finally {
    db.close()
  }
}

const closing: (() => void)[] = []
const model = await ModelServer.listen(
  { after: done => closing.push(done as () => void) },
  async (response, { body }) => {
    const { messages } = body as { messages: { content: string }[] }
    const [, asked] = /question-(\d+)$/.exec(messages.at(-1)?.content ?? '') ?? []
    begin(response)
    for (const word of ['The answer is ', `answer-${asked}.`]) {
      send(response, delta(word))
      await wait(150)
    }
    // As many as these words really are, about: fewer would look as if some had been cut off.
    const read = Math.ceil(messages.reduce((chars, { content }) => chars + content.length, 0) / 3)
    for (const last of [finished(), usage(read, 2), '[DONE]']) send(response, last)
    response.end()
  },
)
const config = `
commands: { perMinute: 6000, burst: 1000 }
models: { only: { provider: openai, model: m, baseUrl: '${model.url}' } }
oracle: { queue: 100 }
rooms: { ${rooms.map((room, n) => `r${n}: { places: ['irc:${room}'], open: true }`).join(', ')} }
`
console.log(`seed ${options.seed}: ${options.questions} questions, ${options.kills} kills`)
const random = seeded(options.seed)
const instance = await Instance.start({ managed: options.server as 'ergo', external: null, config })
const heard = new Map<number, number>()
const other: string[] = []
const hear = (line: string): void => {
  if (!line.includes(':oracle!')) return
  const [, n] = /answer-(\d+)\./.exec(line) ?? []
  if (n === undefined) other.push(line.slice(line.indexOf(' :') + 2))
  else heard.set(Number(n), (heard.get(Number(n)) ?? 0) + 1)
}
/** Rooms in which our ear is: it has left them all as soon as its process is dead, and what is said meanwhile is history. */
const present = new Set<string>()
const ears = (line: string): void => {
  const [, nick, what, room = ''] = /^(?:@\S+ )?:([^! ]+)\S* (JOIN|PART|QUIT) :?(\S+)/.exec(line) ?? []
  if (nick !== 'bridge') return
  if (what === 'JOIN') present.add(room)
  else if (what === 'PART') present.delete(room)
  else present.clear()
}
let failed = 0
try {
  const talker = new Talker(await instance.account('irc', 'asker'), rooms[0] as string, hear)
  talker.onOther = line => {
    const [, room, names] = / 353 \S+ \S (\S+) :(.*)/.exec(line) ?? []
    if (room && /(^|[ @+&~%])bridge( |$)/.test(names ?? '')) present.add(room)
    ears(line)
  }
  await talker.entered
  for (const room of rooms) talker.write(`JOIN ${room}`)
  const everywhere = async (): Promise<boolean> => rooms.every(room => present.has(room))
  await until('bridge in all rooms', settleMs, everywhere)
  const killed = new Map<string, number>()
  const kill = async (): Promise<void> => {
    const target = (['oracle', 'bridge', 'redis'] as const)[Math.floor(random() * 3)] ?? 'oracle'
    const pidOf = async (): Promise<number> =>
      target === 'redis' ? instance.redisPid() : ((await instance.bot(target))?.pid ?? Number.NaN)
    // One that is dead still is given time to come back: each kill ends something.
    await until(`${target} to kill`, settleMs, async () => killNow(await pidOf()))
    killed.set(target, (killed.get(target) ?? 0) + 1)
    if (target !== 'bridge') return
    await until('the end of its connection', settleMs, async () => present.size === 0)
    await until('bridge in all rooms again', settleMs, everywhere)
  }
  const each = Math.max(1, Math.floor(options.questions / options.kills))
  for (let n = 0; n < options.questions; n++) {
    talker.write(`PRIVMSG ${rooms[Math.floor(random() * rooms.length)]} :oracle: question-${n}`)
    if (n % each === each - 1) await kill()
    await wait(betweenMs)
  }
  const open = (): Row[] =>
    rowsOf(instance.data).filter(({ answers, state }) => answers === null || (answers === 1 && (state ?? 0) < 10))
  await until('an end of all turns', settleMs, async () => rowsOf(instance.data).length > 0 && open().length === 0)
  await wait(2000)
  const rows = rowsOf(instance.data)
  const asked = rows.filter(({ answers }) => answers === 1)
  const number = ({ text }: Row): number => Number(/question-(\d+)/.exec(text)?.[1])
  const missing = asked.filter(row => !heard.has(number(row)))
  const twice = [...heard].filter(([, times]) => times > 1)
  const { requests } = model
  const books = booksOf(instance.data)
  const unheard = options.questions - rows.length
  const unbooked = Math.max(0, requests.length - books.tries) + books.open
  failed = missing.length + twice.length + unbooked
  console.log(`kills        ${[...killed].map(([target, count]) => `${target} ${count}`).join(', ')}`)
  console.log(`answered     ${heard.size} of ${options.questions}, ${unheard} of them were never in the ledger`)
  console.log(
    `questions    ${rows.length} in the ledger, ${asked.length} answered by decision, ${rows.length - asked.length} declined`,
  )
  for (const [reason, list] of Map.groupBy(
    rows.filter(({ answers }) => answers === 0),
    ({ reason: why }) => why ?? '',
  ))
    console.log(`             ${list.length}: ${reason}`)
  console.log(`no answer    ${missing.length} ${missing.map(row => `${number(row)} (state ${row.state})`).join(' ')}`)
  console.log(`twice        ${twice.length} ${twice.map(([n]) => n).join(' ')}`)
  console.log(`requests     ${requests.length}, ${requests.length - heard.size} more than answers`)
  console.log(`books        ${books.tries} tries, ${books.open} of them open, ${unbooked} not booked`)
  for (const [line, list] of Map.groupBy(other, text => text.replace(/\d+/g, 'N').trim()))
    console.log(`said besides ${list.length} × ${line}`)
  talker.socket.destroy()
} finally {
  await instance.close()
  for (const close of closing) close()
}
process.exit(failed === 0 ? 0 : 1)
