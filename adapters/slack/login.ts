import type { AdapterContext } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import { pastedToken } from '../../core/vault/pasted.ts'
import type { SlackConfig } from './config.ts'
import type { Self } from './in/events.ts'
import { advice, type Fault } from './link/fault.ts'
import { type Native, part, str, strings } from './native.ts'

/** Who the token is. */
export interface Login {
  readonly self: Self
  /** The name of the workspace. */
  readonly workspace: string
  /** Our own name there. */
  readonly name: string
  /** The token's scopes; none when Slack does not tell. */
  readonly granted: readonly string[]
}

/** The answer of `auth.test`. */
export function loginOf(answer: Native): Login {
  const team = str(answer, 'team_id')
  const enterprise = str(answer, 'enterprise_id')
  return {
    self: {
      user: str(answer, 'user_id'),
      bot: str(answer, 'bot_id'),
      team,
      teams: new Set([team, enterprise].filter(Boolean)),
    },
    workspace: str(answer, 'team'),
    name: str(answer, 'user'),
    granted: strings(part(answer, 'response_metadata'), 'scopes').filter(Boolean),
  }
}

/** What has to be changed before we are let in. */
export const refusal = (fault: Fault): ChanopError =>
  new ChanopError('network-refused', advice(fault), { cause: fault })

/** Both tokens. Rejects what can't be them, before anybody is asked. */
export async function tokensOf(
  config: SlackConfig,
  { secret }: Pick<AdapterContext, 'secret'>,
): Promise<{ token: string; appToken: string }> {
  const [token = '', appToken = ''] = (await Promise.all([secret(config.token), secret(config.appToken)])).map(
    pastedToken,
  )
  check(token, appToken)
  return { token, appToken }
}

function check(token: string, appToken: string): void {
  const wrong = (what: string): never => {
    throw new ChanopError('network-refused', `${what}; docs/slack.md says where it is`)
  }
  if (token.startsWith('xapp-') || appToken.startsWith('xoxb-')) {
    wrong("the two tokens are swapped: `token` is the bot's (xoxb-…), `appToken` the app's (xapp-…)")
  }
  if (!token.startsWith('xoxb-')) wrong('`token` is no bot token: one begins with xoxb- (Bot User OAuth Token)')
  if (!appToken.startsWith('xapp-')) wrong('`appToken` is no app-level token: one begins with xapp-')
}
