import type { Probe, ProbeContext } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { ChannelId } from '../../core/event.ts'
import type { SlackConfig } from './config.ts'
import { Api } from './link/api.ts'
import { Fault, isLoginFault, isRefused, missingScope } from './link/fault.ts'
import { loadSdk } from './link/sdk.ts'
import { loginOf, refusal, tokensOf } from './login.ts'
import { flag, list, type Native, str } from './native.ts'
import { missingOf, scopes } from './scopes.ts'

const mostChannels = 1000
const pageSize = 200

/** Asks Slack who the tokens are and what they may see. No socket is opened, nothing is changed. */
export async function probe(config: SlackConfig, context: ProbeContext): Promise<Probe> {
  const { signal, log } = context
  const { token, appToken } = await tokensOf(config, context)
  const sdk = await loadSdk()
  const of = (which: string): Api => new Api({ sdk, url: config.api, token: which, log, signal })
  const api = of(token)
  const { self, workspace, name, granted } = loginOf(await ask(api, 'auth.test', {}, signal))
  // A ticket that nobody uses opens nothing.
  await ask(of(appToken), 'apps.connections.open', {}, signal)
  const unseen: string[] = []
  const channels = await seen(api, signal).catch((error: unknown) => {
    if (!isRefused(error, 'missing_scope')) throw asProbeError(error)
    unseen.push(missingScope(error.needed))
    return []
  })
  const missing = missingOf(granted).map(scope => `${missingScope(scope)} (without it ${scopes[scope]})`)
  return {
    account: `@${name} in ${workspace} (${self.team})`,
    server: 'Slack, Socket Mode',
    missing: missing.length > 0 ? missing : unseen,
    channels,
  }
}

async function ask(api: Api, method: string, args: Native, signal: AbortSignal): Promise<Native> {
  try {
    return await api.patient(method, args, signal, 3)
  } catch (error) {
    throw asProbeError(error)
  }
}

function asProbeError(error: unknown): unknown {
  if (!(error instanceof Fault)) return error
  if (isLoginFault(error) || isRefused(error, 'missing_scope')) return refusal(error)
  return new ChanopError('network-down', 'Slack can not be reached, or does not answer; try again.', { cause: error })
}

async function seen(api: Api, signal: AbortSignal): Promise<Probe['channels']> {
  const found: Native[] = []
  const args = { types: 'public_channel,private_channel', exclude_archived: true, limit: pageSize }
  for await (const page of api.pages('conversations.list', args, signal, 3)) {
    found.push(...list(page, 'channels'))
    if (found.length >= mostChannels) break
  }
  return found.map(channel => ({
    channel: str(channel, 'id') as ChannelId,
    name: `#${str(channel, 'name')}`,
    joined: flag(channel, 'is_member'),
  }))
}
