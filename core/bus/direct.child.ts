/** Another process with a bell: `direct.child.ts <folder> <name>`. Rings 7 for each line it reads, says what it hears. */
import { silentLog } from '../log.ts'
import { DirectBus } from './direct.ts'
import { lookNow } from './link.ts'

const [folder = '', name = ''] = process.argv.slice(2)
const bus = new DirectBus(folder, name, silentLog())
bus.onRing(seq => {
  if (seq < 1000 || seq % 1000 === 0 || seq === lookNow)
    process.stdout.write(`heard ${seq === lookNow ? 'look' : seq}\n`)
})
bus.onUp(up => process.stdout.write(`up ${up}\n`))
process.stdin.on('data', () => bus.ring(7)).on('end', () => process.exit(0))
bus.start()
