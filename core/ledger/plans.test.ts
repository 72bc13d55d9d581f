import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { MessageId, ReactionEvent, UserId } from '../event.ts'
import { agentNamed, agentOf, engagementsEnd, setAgentState, setPaused } from './agents/agents.ts'
import {
  countedTokens,
  keepCount,
  keepSummary,
  latestRooms,
  linesFrom,
  moveStart,
  promptStart,
} from './oracle/prompts.ts'
import { passMark, spendBy } from './oracle/spend.ts'
import { bookTry, noteOutput, openTries, reserveTry, triesOfTurn } from './oracle/tries.ts'
import {
  answerTurn,
  endLapsedStops,
  endTurn,
  freeTurns,
  keepTurns,
  lastTurnIn,
  mergeTurns,
  openTurns,
  openTurnsIn,
  queueTurn,
  stoppingTurns,
  stopTurns,
  takeTurn,
  turnHolders,
  turnOfFact,
  turnsOfBotSince,
  turnsSince,
} from './oracle/turns.ts'
import {
  addCall,
  endCall,
  keepAnswers,
  lastCallAsking,
  lastCallOf,
  openCallAt,
  openCallSeqs,
  askedBy as whomAsked,
} from './out/calls.ts'
import { copiesIn } from './out/copies.ts'
import {
  amendDeliveries,
  amendedAfter,
  backlog,
  boundWaits,
  byIds,
  type Delivery,
  depart,
  enqueue,
  markInterrupted,
  openPlaces,
  queuedAfter,
  queuedIn,
  saidAt,
  settle,
} from './out/deliveries.ts'
import { openOrders, orderByKey, placeOrder, settleOrder } from './out/orders.ts'
import { takeParked } from './out/parked.ts'
import {
  channelsWith,
  enterPlace,
  isAnywhere,
  isIn,
  isMember,
  isVouched,
  leavePlace,
  memberSince,
  membersAt,
  membersOf,
  namesakes,
  verifiedMembersAt,
} from './people/members.ts'
import { personAt } from './people/people.ts'
import { noteLife, noteSighting, presenceAt, setPresence } from './people/presence.ts'
import { holdsUntil, roleIn, rolesEnd, rolesWritten } from './people/roles.ts'
import { decisionOf, keepDecision } from './record/decisions.ts'
import { after, append, bySeq, currentOf, messageOf, newest, recent, revise } from './record/events.ts'
import { firstReceivedSince, keyOf, newestSeq, revisionsBetween } from './record/history.ts'
import { copiedAs, dropMedia, mediaByHash, noteCopied, touchMedia, unusedMedia } from './record/media.ts'
import { noteReaction, reactorsElsewhere } from './record/reactions.ts'
import { advanceTo, cursorOf, forgetHandled, isHandled, markHandled } from './settings/consumers.ts'
import { directPlaceId, placeIdsOf } from './settings/places.ts'
import { type Connection } from './sqlite.ts'
import { messageNumber, placeNamed, temporaryLedger } from './testing.ts'
import type { Tx } from './tx.ts'

/** A connection whose statements say how they would be carried out. */
function planned(db: Connection, work: (tx: Tx) => unknown): string[] {
  const seen = new Set<string>()
  const spy = new Proxy(db, {
    get(target, key) {
      if (key === 'prepare') {
        return (text: string) => {
          seen.add(text)
          return target.prepare(text)
        }
      }
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  work(spy)
  return [...seen].flatMap(text => {
    const blanks = Array.from({ length: text.match(/\?/g)?.length ?? 0 }, () => null)
    const rows = db.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...blanks) as { detail: string }[]
    return rows.map(({ detail }) => detail)
  })
}

const source = 1
const here = placeNamed('#general')
const asker = { network: here.network, user: 'u' as UserId, person: null, name: 'U' }
const order = { key: 'o', network: here.network, kind: 'place.join' as const, args: {} }
const act = { do: 'send' as const, content: messageNumber(1).content }
const used = { inputTokens: 1, cachedTokens: 0, outputTokens: 1 }
const words = { task: 'answer', room: 'general', person: null, model: 'm', service: 's', owner: 'o' }
const price = { input: 1, cached: 1, output: 1 }
const aTry = { ...words, ...used, turn: 1, day: 'd', month: 'm', price, mostMicroUsd: 1 }

const person = { id: 1, name: 'u' }
const sighting = { network: here.network, user: 'u', name: 'U', channel: '#general', what: 'message', atMs: 1 }
const call = { seq: source, placeId: 1, selector: '@all', kind: 'mention' as const, asked: ['irc:u'], untilMs: 1 }

/** What runs for every message, every second, or on every start, and may not read a whole table. */
const hot: Record<string, (tx: Tx) => unknown> = {
  append: db => append(db, messageNumber(99), 'general', 0),
  enqueue: db => enqueue(db, { place: here, bot: 'bridge', act, source }, 0),
  'depart, settle': db => {
    depart(db, [1])
    settle(db, byIds(db, [1])[0] as Delivery, ['n' as MessageId], 0)
  },
  'queued deliveries': db => [queuedAfter(db, 0, 10), queuedIn(db, 1, 0, 10)],
  'open deliveries on start': db => [markInterrupted(db, true), boundWaits(db, 1), openPlaces(db), backlog(db)],
  'native ids': db => [
    copiesIn(db, source, 1),
    saidAt(db, source, here),
    takeParked(db, here, 'n' as MessageId, 0),
    namesakes(db, 'u', [here]),
    messageOf(db, here, 'n' as MessageId),
    messageOf(db, { ...here, thread: 't' as MessageId }, 'n' as MessageId),
    bySeq(db, source),
  ],
  prompts: db => [
    moveStart(db, 'general', 1),
    promptStart(db, 'general'),
    keepSummary(db, 'general', 's', 1),
    linesFrom(db, ['general'], 0, 10),
    latestRooms(db, ['general', 'ops'], 10),
    keepCount(db, source, 0, 5),
    countedTokens(db, source, 0),
  ],
  'a growing message': db => [amendDeliveries(db, source, act.content, true, 0), amendedAfter(db, 0, 10)],
  turns: db => [
    queueTurn(db, { asked: source, place: here, lane: 'general', by: asker }, 0),
    takeTurn(db, 1, 'me', 9, 0),
    keepTurns(db, 'me', [1], 10),
    answerTurn(db, 1, source),
    endLapsedStops(db, 0),
    [lastTurnIn(db, 'general', asker), turnsOfBotSince(db, asker, 0), turnsSince(db, 'general', 0)],
    [keepDecision(db, source, { answers: true, reason: 'named' }, 0), decisionOf(db, source)],
    [openTurns(db), openTurnsIn(db, 'general'), stoppingTurns(db, 'me'), turnHolders(db), turnOfFact(db, source)],
    stopTurns(db, { of: asker, room: 'general' }, 'bob', 0),
    mergeTurns(db, 1, [2]),
    endTurn(db, 1, 'me', { state: 'stopped' }, 0),
    freeTurns(db, 'me', 0),
  ],
  media: db => [
    noteCopied(db, here.network, 'r', { hash: 'h', sizeBytes: 1 }, 0),
    copiedAs(db, here.network, 'r'),
    mediaByHash(db, 'h'),
    unusedMedia(db, 1, 10),
    touchMedia(db, 'h', 1),
    dropMedia(db, 'h', 1),
  ],
  reactions: db => [
    noteReaction(
      db,
      source,
      { ...messageNumber(2), kind: 'reaction', emoji: '👍', target: 'n' as MessageId } as ReactionEvent,
      1,
    ),
    reactorsElsewhere(db, source, '👍', 1),
  ],
  texts: db => [recent(db, 'general', 50), currentOf(db, source), revise(db, source, null, 0)],
  'facts after a number': db => after(db, 0, 10),
  'newest of a place': db => newest(db, here),
  'what somebody may see': db => [
    channelsWith(db, [{ network: here.network, user: 'u' as UserId }]),
    placeIdsOf(db, here),
    directPlaceId(db, here),
  ],
  'where to read on': db => [newestSeq(db), keyOf(db, source), firstReceivedSince(db, 0), revisionsBetween(db, 1, 9)],
  orders: db => [
    placeOrder(db, order, 0),
    openOrders(db),
    orderByKey(db, 'o'),
    settleOrder(db, 1, { done: true, result: '' }, 0),
  ],
  presence: db => [
    noteSighting(db, sighting),
    noteLife(db, sighting),
    setPresence(db, here.network, 'u', { state: 'idle', sinceMs: 1, seenMs: 1, what: 'message' }),
    presenceAt(db, here.network, 'u'),
  ],
  calls: db => [
    addCall(db, call),
    [openCallAt(db, source), openCallSeqs(db), whomAsked(db, source)],
    [lastCallOf(db, { placeId: 1, sender: 'u', sinceMs: 0 }), lastCallAsking(db, 'irc:u', 9, 0)],
    keepAnswers(db, source, []),
    endCall(db, source, []),
  ],
  roles: db => [
    personAt(db, here.network, 'u'),
    roleIn(db, person, 'general', 0),
    rolesWritten(db, person, 'general'),
    holdsUntil(db, person, 'operator', 'general', 0),
    rolesEnd(db, 0),
  ],
  agents: db => [
    agentNamed(db, 'u'),
    agentOf(db, here.network, 'u' as UserId),
    engagementsEnd(db, 0),
    setAgentState(db, 'u', 'active', null, 0),
    setPaused(db, ['u'], true),
  ],
  members: db => [
    enterPlace(db, 1, { id: 'u' as UserId, name: 'U', verified: true }, 0),
    [isMember(db, 1, 'u'), membersAt(db, 1), verifiedMembersAt(db, 1), membersOf(db, here)],
    [isIn(db, here, 'u'), isAnywhere(db, here.network, 'u'), memberSince(db, here.network, 'u')],
    isVouched(db, { network: here.network, user: 'u' as UserId }),
    leavePlace(db, 1, 'u'),
  ],
  cursors: db => [
    cursorOf(db, 'one', 0),
    advanceTo(db, 'one', 1),
    [markHandled(db, 'one', 2), isHandled(db, 'one', 2), forgetHandled(db, 'one', 2)],
  ],
  'tries and what was spent': db => [
    reserveTry(db, aTry, [{ period: 'd', scope: 'all', microUsd: 1, hard: true }], 0),
    noteOutput(db, 1, 1),
    bookTry(db, 1, { ...used, outcome: 'stop', error: null, estimated: false }, 0),
    openTries(db),
    triesOfTurn(db, 1),
    spendBy(db, 'd', 'room'),
    passMark(db, 'd', 'all', 50),
  ],
}

for (const [name, work] of Object.entries(hot)) {
  it(`uses its indexes: ${name}`, async t => {
    const ledger = temporaryLedger(t)
    await ledger.write(db => {
      append(db, messageNumber(1), 'general', 0)
      enqueue(db, { place: here, bot: 'bridge', act, source }, 0)
    })
    const plan = await ledger.write(db => planned(db, work))
    assert.ok(plan.length > 0 || name === 'append' || name === 'enqueue')
    // The partial indexes of what is open, and lists given as JSON, are small: they may be read whole.
    const scans = plan.filter(
      detail =>
        detail.startsWith('SCAN') &&
        !/USING (COVERING )?INDEX (delivery|orders|turn|try|call)_open|VIRTUAL TABLE/.test(detail),
    )
    assert.deepEqual(scans, [])
  })
}
