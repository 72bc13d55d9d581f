import { exportRoom } from './export.ts'
import { last } from './last.ts'
import { logShow } from './log.ts'
import { search } from './search.ts'
import { stats } from './stats.ts'

export const scribeCommands = [last, search, logShow, stats, exportRoom]
