import pino from 'pino'

export type Log = pino.Logger

/** Names of fields whose value never reaches a log line. */
const secretFields = ['password', 'token', 'secret', 'apiKey', 'value', 'credential', 'authorization']

export const isLevel = (level: string): boolean => level === 'silent' || Object.hasOwn(pino.levels.values, level)

/**
 * The process's root log: one JSON line per record on standard output, where PM2 collects it.
 * Bind context with `log.child({ bot, network, key })`; there is no global logger.
 */
export function createLog(bot: string, level: string = process.env['CHANOP_LOG'] ?? 'info'): Log {
  return pino({
    level: isLevel(level) ? level : 'info',
    base: { bot },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: secretFields.flatMap(field => [field, `*.${field}`]), censor: '[hidden]' },
    serializers: { error: pino.stdSerializers.err },
  })
}

/** A log that keeps silent, for tests. */
export const silentLog = (): Log => pino({ level: 'silent' })
