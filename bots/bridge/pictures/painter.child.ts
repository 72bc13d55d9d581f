/** For a test: a process that works, and is compiled, draws a picture. Says whether what runs often is compiled from then on. */
import { Compiling } from '../../../core/process/compilers.ts'
import { isCompiled, work } from '../../../core/process/testing-compiled.ts'
import { chartSvg } from './chart.ts'
import { Painter } from './painter.ts'

const compiling = new Compiling()
compiling.begin(0)
if (!compiling.look(60_000, 60_000)) throw new Error('it is not compiled')
await new Painter().png(chartSvg({ title: 'numbers', parts: [] }), AbortSignal.timeout(30_000))

for (let rounds = 0; rounds < 1000 && !isCompiled(); rounds++) work(100)
process.stdout.write(isCompiled() ? 'compiled\n' : 'interpreted\n')
process.exit(0)
