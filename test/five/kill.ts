/** `node test/five/kill.ts --messages 20000 --blows 120 --every-ms 4000 --seed N --irc inspircd`: see docs/testing.md. */
import { optionsOf } from '../options.ts'
import { killRun, type Outcome } from './killrun.ts'
import type { IrcServer } from './room.ts'

const options = optionsOf({
  messages: 20_000,
  blows: 120,
  seed: Math.floor(Math.random() * 1e9),
  irc: 'inspircd',
  'every-ms': 4000,
})

const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')

function print({ verdict, blows, talkedMs, evidence }: Outcome): void {
  const { findings, said, recorded, seen, labelled, others } = verdict
  const of = (what: string): number => findings.filter(finding => finding.what === what).length
  const kinds = Object.entries(Object.groupBy(blows, ({ what }) => what)).map(([what, list]) => [
    what,
    list?.length ?? 0,
  ])
  console.log(`broken       ${listed(Object.fromEntries(kinds) as Record<string, number>)}`)
  console.log(`time         ${(talkedMs / 1000).toFixed(0)} s of talk`)
  console.log(`said         ${said}; ${recorded} in the ledger`)
  console.log(`seen         ${listed(seen)}`)
  console.log(`lost         ${of('lost')}`)
  console.log(`doubled      ${of('doubled')}`)
  console.log(`out of order ${of('disordered')}`)
  console.log(`labelled     ${listed(labelled)}: copies that say that they may be a repeat`)
  for (const text of others.filter(text => !text.includes('hello from')).slice(0, 20))
    console.log(`besides      ${text}`)
  if (evidence) console.log(`\n${evidence}`)
}

const { seed, messages, blows, irc } = options
if (irc !== 'ergo' && irc !== 'inspircd') throw new Error(`--irc must be ergo or inspircd, not '${irc}'`)
console.log(`seed ${seed}: ${messages} messages, ${blows} blows, IRC by ${irc}`)
const outcome = await killRun({
  messages,
  blows,
  seed,
  irc: irc satisfies IrcServer,
  everyMs: options['every-ms'],
  say: text => console.log(text),
})
print(outcome)
process.exit(outcome.verdict.findings.length === 0 ? 0 : 1)
