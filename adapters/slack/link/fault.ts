import { ChanopError } from '../../../core/error.ts'

/**
 * Why a call of the Web API failed. `unsent`: it never reached Slack; `unknown`: nobody can tell whether it was carried
 * out; `limited`: not before `afterMs`; `refused`: Slack's own word, in `code`.
 */
export class Fault extends Error {
  readonly kind: 'unsent' | 'unknown' | 'limited' | 'refused'
  readonly method: string
  readonly code: string
  readonly afterMs: number | undefined
  /** The scopes of which one is missing, with `missing_scope`. */
  readonly needed: string

  constructor(
    kind: Fault['kind'],
    method: string,
    { code = kind, afterMs, needed = '' }: { code?: string; afterMs?: number; needed?: string } = {},
  ) {
    super(`Slack: ${method}: ${code}`)
    this.name = 'Fault'
    this.kind = kind
    this.method = method
    this.code = code
    this.afterMs = afterMs
    this.needed = needed
  }
}

export const isRefused = (thrown: unknown, ...codes: readonly string[]): thrown is Refused =>
  thrown instanceof Fault && thrown.kind === 'refused' && (codes.length === 0 || codes.includes(thrown.code))

const page = 'https://api.slack.com/apps'

/** What has to be done about our login before anything can go on. */
const logins: Readonly<Record<string, string>> = {
  invalid_auth: `Slack does not know the token: copy it anew from ${page}, then !config reload`,
  not_authed: `Slack got no token: copy it from ${page}, then !config reload`,
  not_allowed_token_type: `this is the wrong kind of token: \`token\` is the bot's (xoxb-…), \`appToken\` the app's (xapp-…)`,
  account_inactive: `the bot was removed from the workspace: install the app again at ${page}, then !config reload`,
  token_revoked: `the token was revoked: install the app again at ${page} and put its new token in`,
  token_expired: `the token has expired: switch token rotation off at ${page}, install again and put the new token in`,
  team_access_not_granted: `the organisation has not let the app into this workspace: an admin of it approves the app`,
  org_login_required: 'the workspace moved into an organisation: install the app again there',
  user_removed_from_team: 'the bot was removed from the workspace: install the app again',
  team_disabled: 'the workspace is disabled',
  ekm_access_denied: 'an administrator suspended access to this workspace',
  enterprise_is_restricted: 'the organisation restricts this method for its apps: ask an administrator',
  link_disabled: `Socket Mode is off: switch it on at ${page} → Socket Mode`,
}

/** Why a channel takes nothing from us, and what would help. */
const channels: Readonly<Record<string, string>> = {
  not_in_channel: 'the bot is not in the channel: /invite it there',
  channel_not_found: 'Slack shows the bot no such channel: look at its id; a private one needs /invite',
  is_archived: 'the channel is archived',
  restricted_action: 'the workspace does not let the bot post there',
  restricted_action_read_only_channel: 'the channel is read-only for the bot',
  restricted_action_thread_only_channel: 'the channel takes replies in threads alone',
  restricted_action_non_threadable_channel: 'the channel takes no threads',
  restricted_action_thread_locked: 'the thread is locked',
  method_not_supported_for_channel_type: 'that can not be done in a conversation of this kind',
  no_permission: 'the bot may not do that there',
}

const others: Readonly<Record<string, string>> = {
  msg_too_long: 'the message is too long',
  no_text: 'there is nothing to be shown in it',
  message_not_found: 'the message is not there any more',
  cant_update_message: 'the bot can change only what it said itself',
  cant_delete_message: 'the bot can delete only what it said itself',
  edit_window_closed: 'the workspace lets messages be edited only for a while',
  user_not_found: 'there is nobody of that id',
  users_not_found: 'there is nobody of that id',
  user_disabled: 'that account is deactivated',
  cannot_dm_bot: 'bots can not be written to in private',
  user_not_in_channel: 'that person is not in the channel',
  thread_not_found: 'the thread is not there any more',
  file_not_found: 'the file is not there any more',
  storage_limit_reached: "the workspace's storage is full",
}

/** A fault with Slack's own word. */
export type Refused = Fault & { readonly kind: 'refused' }

export const isLoginFault = (thrown: unknown): thrown is Refused =>
  thrown instanceof Fault && thrown.kind === 'refused' && logins[thrown.code] !== undefined

export const isChannelFault = (thrown: unknown): thrown is Refused =>
  thrown instanceof Fault && thrown.kind === 'refused' && channels[thrown.code] !== undefined

/** One line that says what to do next. */
export function advice({ code, needed, method }: Fault): string {
  if (code === 'missing_scope' && method === 'apps.connections.open')
    return `the app-level token lacks the scope connections:write: make one that has it at ${page} → Basic Information → App-Level Tokens, and set it as appToken`
  if (code === 'missing_scope') return missingScope(needed || `what ${method} needs`)
  return logins[code] ?? channels[code] ?? others[code] ?? `Slack refuses ${method}: ${code}`
}

export const missingScope = (scopes: string): string =>
  `the app lacks the scope ${scopes}: add it at ${page} → OAuth & Permissions → Bot Token Scopes, then reinstall the app`

/** A failed act as the bridge understands it. */
export function asSendError(thrown: unknown): unknown {
  if (!(thrown instanceof Fault)) return thrown
  const cause = { cause: thrown }
  switch (thrown.kind) {
    case 'unsent':
      return new ChanopError('send-later', 'Slack can not be reached; it is tried again by itself.', cause)
    case 'unknown':
      return new ChanopError('network-down', 'Slack did not answer; whether it was said is asked.', cause)
    case 'limited':
      return new ChanopError('send-later', 'Slack asks to wait.', { ...cause, afterMs: thrown.afterMs ?? 1000 })
    case 'refused':
      return refusal(thrown)
  }
}

function refusal(fault: Fault): ChanopError {
  const cause = { cause: fault }
  if (isLoginFault(fault)) return new ChanopError('network-down', advice(fault), cause)
  const gone = ['users_not_found', 'user_not_found', 'file_not_found', 'file_deleted'].includes(fault.code)
  return new ChanopError(gone ? 'not-found' : 'send-refused', advice(fault), cause)
}
