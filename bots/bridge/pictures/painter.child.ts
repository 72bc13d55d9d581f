/** For a test: a process that works, and is compiled, draws a picture. Says whether what runs often is compiled from then on. */
import { Compiling } from '../../../core/process/compilers.ts'
import { chartSvg } from './chart.ts'
import { Painter } from './painter.ts'

const compiling = new Compiling()
compiling.begin(0)
if (!compiling.look(60_000, 60_000)) throw new Error('it is not compiled')
await new Painter().png(chartSvg({ title: 'numbers', parts: [] }), AbortSignal.timeout(30_000))

const sum = (upTo: number): number => {
  let total = 0
  for (let n = 0; n < upTo; n++) total += n % 7
  return total
}
const statusOf = new Function('f', 'return %GetOptimizationStatus(f)') as (f: typeof sum) => number
const [optimized, baseline] = [1 << 4, 1 << 15]
for (let times = 0; times < 100_000 && (statusOf(sum) & (optimized | baseline)) === 0; times++) sum(1000)
process.stdout.write(statusOf(sum) & (optimized | baseline) ? 'compiled\n' : 'interpreted\n')
process.exit(0)
