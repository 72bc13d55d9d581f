/** Node's and undici's words for a connection that was never there: nothing of a request can have arrived. */
const words = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** The code of what went wrong below an error: `fetch` and its like hide it in causes, one address of several in a list. */
export function causeCode(error: unknown): string | undefined {
  for (let each: unknown = error, depth = 0; each instanceof Error && depth < 5; depth++) {
    if ('code' in each && typeof each.code === 'string') return each.code
    each = each instanceof AggregateError ? each.errors[0] : each.cause
  }
  return undefined
}

export const isUnreached = (error: unknown): boolean => words.has(causeCode(error) ?? '')
