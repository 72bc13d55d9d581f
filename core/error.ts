/**
 * The whole catalogue of errors. Each code says whether trying again can help and who should hear of it;
 * docs/errors.md lists them all and a test compares the two.
 */
interface Entry {
  /** `later`: the same call may succeed in a while. `never`: something must change first. */
  readonly retry: 'never' | 'later'
  /** `user`: whoever typed. `operator`: who runs the system (the ops room, the log, `!status`). */
  readonly audience: 'user' | 'operator'
  /** What it means and what to do about it: one line of docs/errors.md. */
  readonly help: string
}

export const catalogue = {
  usage: { retry: 'never', audience: 'user', help: 'The command was not understood; the message shows its form.' },
  denied: {
    retry: 'never',
    audience: 'user',
    help: 'Your role does not allow this; `!can` explains, an owner can `!role grant`.',
  },
  'not-found': {
    retry: 'never',
    audience: 'user',
    help: 'There is nothing of that name; the message names what lists them.',
  },
  conflict: {
    retry: 'never',
    audience: 'user',
    help: 'It exists already or somebody else changed it first; look again and repeat.',
  },
  'rate-limited': {
    retry: 'later',
    audience: 'user',
    help: 'Too many commands in a short time; the message says when to go on.',
  },
  'config-invalid': {
    retry: 'never',
    audience: 'operator',
    help: 'A configuration file or value is wrong; the message names file, line, key and nearest valid key.',
  },
  'secret-missing': {
    retry: 'never',
    audience: 'operator',
    help: 'A secret that the configuration refers to is not there: set the variable, or `!secret set NAME`.',
  },
  'vault-locked': {
    retry: 'never',
    audience: 'operator',
    help: 'The key file of the vault is missing or is another one; put the right one back, nothing is overwritten.',
  },
  'ledger-busy': {
    retry: 'later',
    audience: 'operator',
    help: 'Another process holds the ledger for writing longer than it should.',
  },
  'ledger-full': {
    retry: 'later',
    audience: 'operator',
    help: 'The disk is full: nothing is accepted until there is room, and nothing accepted is lost.',
  },
  'ledger-readonly': {
    retry: 'later',
    audience: 'operator',
    help: 'The data folder can not be written; give it to the user who runs Chanop.',
  },
  'ledger-corrupt': {
    retry: 'never',
    audience: 'operator',
    help: 'The ledger failed its integrity check; restore the newest backup as docs/operations.md says.',
  },
  'ledger-newer': {
    retry: 'never',
    audience: 'operator',
    help: 'A newer release wrote this ledger; run that release or newer.',
  },
  'bus-down': {
    retry: 'later',
    audience: 'operator',
    help: 'Redis does not answer; nothing is lost, bots look at the ledger by themselves meanwhile.',
  },
  'network-down': {
    retry: 'later',
    audience: 'operator',
    help: 'The network is not connected; deliveries wait in the ledger.',
  },
  'network-refused': {
    retry: 'never',
    audience: 'operator',
    help: 'The network refuses our login; correct the account or its password, then `!config reload`.',
  },
  'send-later': {
    retry: 'later',
    audience: 'operator',
    help: 'The platform asked to wait; the delivery is repeated by itself.',
  },
  'send-refused': {
    retry: 'never',
    audience: 'user',
    help: 'The platform refused the message for good; the message gives its reason.',
  },
  unsupported: {
    retry: 'never',
    audience: 'user',
    help: 'This network can not do that; `!network show` lists what it can.',
  },
  'media-refused': {
    retry: 'never',
    audience: 'user',
    help: 'A file is too large to be copied (`media` in the configuration has the limits), is a program, or was made to keep us busy; it is named in words.',
  },
  'account-exists': {
    retry: 'never',
    audience: 'user',
    help: 'That account exists already and is not taken over; choose another name.',
  },
  'account-unknown': { retry: 'never', audience: 'user', help: 'There is no such account on that network.' },
  'account-failed': {
    retry: 'later',
    audience: 'operator',
    help: 'The account service did not do it; the order stays and is repeated.',
  },
  'model-missing': {
    retry: 'never',
    audience: 'operator',
    help: 'No model is configured for this, or all are off; `!model add` guides, `!model list` shows what there is.',
  },
  'budget-reached': {
    retry: 'later',
    audience: 'user',
    help: 'A budget for models is used up; the message names which and when it begins anew, `!budget` shows all.',
  },
  'model-failed': {
    retry: 'later',
    audience: 'operator',
    help: 'No configured model could answer; the message gives the last reason, `!model test NAME` tries one.',
  },
  'setup-failed': {
    retry: 'never',
    audience: 'operator',
    help: '`npm start`, or a command of its kind, can not go on; the message names what is in the way and how to clear it.',
  },
  internal: {
    retry: 'never',
    audience: 'operator',
    help: 'A fault of Chanop itself; the log has the details under the id in the message.',
  },
} as const satisfies Record<string, Entry>

export type ErrorCode = keyof typeof catalogue

/** The one error type that crosses a boundary. `message` is one line that says what to do next and holds no secret. */
export class ChanopError extends Error {
  readonly code: ErrorCode
  /** Not before this many ms from now, where the platform says so. */
  readonly afterMs: number | undefined

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; afterMs?: number } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'ChanopError'
    this.code = code
    this.afterMs = options.afterMs
  }

  get retry(): 'never' | 'later' {
    return catalogue[this.code].retry
  }

  get audience(): 'user' | 'operator' {
    return catalogue[this.code].audience
  }
}

/** What went wrong first, where clearing up behind it went wrong as well. */
export const firstFault = (thrown: unknown): unknown =>
  thrown instanceof SuppressedError ? firstFault(thrown.suppressed) : thrown

/** Any thrown value as a `ChanopError`; an unknown one becomes `internal` and keeps its cause. */
export function asChanopError(caught: unknown): ChanopError {
  const thrown = firstFault(caught)
  if (thrown instanceof ChanopError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new ChanopError('internal', message, { cause: thrown })
}
