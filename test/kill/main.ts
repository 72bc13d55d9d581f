/** `npm run test:kill -- --messages 20000 --kills 30 --seed N --servers ergo,inspircd`: see docs/performance.md. */
import { availableServers } from '../../adapters/irc/server/testing.ts'
import type { ServerKind } from '../instance.ts'
import { optionsOf, twoServers } from '../options.ts'
import { killRun, type Outcome } from './run.ts'

const options = optionsOf({
  messages: 20_000,
  kills: 30,
  seed: Math.floor(Math.random() * 1e9),
  servers: 'ergo,inspircd',
  'every-ms': 7000,
})

/** The servers asked for, as far as they are here: two of one kind where only one is. */
async function choose(): Promise<readonly [ServerKind, ServerKind]> {
  const here = await availableServers()
  const usable = here.filter(({ kind, reason }) => kind !== 'ngircd' && reason === null).map(({ kind }) => kind)
  for (const { kind, reason } of here) if (reason !== null && kind !== 'ngircd') console.log(`no ${kind}: ${reason}`)
  const [first] = usable
  if (first === undefined) throw new Error('there is no IRC server to test with: set ERGO_BIN or CHANOP_DEBIAN')
  const asked = twoServers(options.servers).map(kind => usable.find(known => known === kind) ?? first)
  return [asked[0] ?? first, asked[1] ?? first] as [ServerKind, ServerKind]
}

function print({ verdict, blows, tookMs, evidence, noHistory }: Outcome): void {
  const of = (what: string): number => verdict.findings.filter(finding => finding.what === what).length
  const kinds = Map.groupBy(blows, ({ target }) => target)
  console.log(`kills        ${[...kinds].map(([target, list]) => `${target} ${list.length}`).join(', ')}`)
  console.log(`time         ${(tookMs / 1000).toFixed(0)} s`)
  console.log(
    `accepted     ${verdict.accepted} by a server; ${verdict.recorded} in the ledger, ${verdict.delivered} seen on the other side`,
  )
  console.log(`lost         ${of('lost')}`)
  console.log(`doubled      ${of('doubled')}`)
  console.log(`out of order ${of('disordered')}`)
  console.log(
    `apart        ${verdict.diedBefore.length} that a killed server had accepted and handed to nobody of ours`,
  )
  console.log(
    `             ${verdict.diedAfter.length} copies that a killed server had confirmed and not shown to the observer`,
  )
  console.log(
    `             ${verdict.labelledRepeats} repeats that say so, ${verdict.labelledFirsts} more say that they may be one`,
  )
  for (const name of noHistory) {
    console.log(`             ${name} keeps no history that can be asked for after its death: judged by its echoes`)
  }
  if (evidence) console.log(`\n${evidence}`)
}

const servers = await choose()
const { seed, messages, kills } = options
console.log(`seed ${seed}: ${messages} messages, ${kills} kills, ${servers.join(' (managed) and ')} (external)`)
const outcome = await killRun({
  servers,
  seed,
  messages,
  kills,
  everyMs: options['every-ms'],
  say: text => console.log(text),
})
print(outcome)
process.exit(outcome.verdict.findings.length === 0 ? 0 : 1)
