/**
 * What people want to do, with the first words of the commands for it, the most wanted first. A command that stands here with
 * both its words is told there alone.
 */
export const topics: Readonly<Record<string, readonly string[]>> = {
  look: ['status', 'who', 'last', 'search', 'stats', 'seen', 'networks', 'network show', 'version'],
  people: ['whoami', 'call', 'person', 'role', 'link', 'can', 'register', 'claim', 'unlock', 'ignore', 'key', 'invite'],
  agents: [
    'agent',
    'group',
    'engagement',
    'jwks',
    'stop',
    'pause',
    'resume',
    'rotate',
    'revoke',
    'revoked',
    'restore',
    'adopt',
  ],
  rooms: ['rooms', 'room', 'channel', 'join', 'part', 'say', 'hook', 'import'],
  settings: ['config', 'network', 'secret', 'doctor', 'restart'],
  record: ['log', 'export', 'audit', 'backup'],
  oracle: ['ask', 'why', 'retry', 'queue', 'usage', 'context', 'model', 'budget'],
}

/** Of the conversation with the bots itself: said at the end of the overview, not among the tasks. */
export const basics: readonly string[] = ['help', 'find', 'more', 'yes', 'no']

/** Words that mean the same to somebody who looks for a command. Each finds all others of its row. */
const alike: readonly (readonly string[])[] = [
  ['import', 'migrate', 'matterbridge'],
  ['backup', 'save', 'dump', 'archive', 'export'],
  ['invite', 'register', 'signup', 'onboard', 'person add', 'makes an account'],
  ['model', 'llm', 'ai', 'gpt', 'provider', 'ask'],
  ['user', 'account', 'person', 'people', 'member', 'nick', 'who'],
  ['permission', 'permissions', 'rights', 'access', 'privilege', 'admin', 'op', 'role', 'can'],
  ['ban', 'block', 'mute', 'kick', 'silence', 'ignore', 'revoke'],
  ['password', 'passwd', 'login', 'credential', 'reset'],
  ['key', 'token', 'api', 'secret'],
  ['history', 'log', 'record', 'past', 'last', 'search'],
  ['bot', 'agent', 'engagement'],
  ['setting', 'settings', 'option', 'configure', 'config'],
  ['chat', 'channel', 'room'],
  ['delete', 'remove', 'drop', 'del'],
  ['create', 'make', 'new', 'add'],
  ['cost', 'money', 'price', 'spend', 'tokens', 'usage', 'budget'],
  ['health', 'alive', 'uptime', 'ping', 'status', 'doctor'],
  ['leave', 'quit', 'part'],
  ['halt', 'cancel', 'abort', 'pause', 'stop'],
  ['undo', 'restore'],
  ['lock', 'locked', 'unlock', 'guess', 'guesses', 'lockout'],
  ['reboot', 'reload', 'restart'],
  ['proof', 'audit'],
]

/** All words that stand for one that was typed, itself first. */
export function synonyms(word: string): string[] {
  const bare = word.length > 3 ? word.replace(/s$/, '') : word
  const rows = alike.filter(row => row.includes(word) || row.includes(bare))
  return [...new Set([word, bare, ...rows.flat()])]
}
