/** What the bot token has to allow, and what is missing without it. The manifest of docs/slack.md asks for all of them. */
export const scopes: Readonly<Record<string, string>> = {
  'chat:write': 'nothing can be said',
  'chat:write.customize': "no faces: people's names stand before their words",
  'channels:history': 'public channels are not heard',
  'groups:history': 'private channels are not heard',
  'im:history': 'direct messages are not heard',
  'channels:read': 'public channels are not seen',
  'groups:read': 'private channels are not seen',
  'im:read': 'direct conversations are not seen after a restart',
  'im:write': 'nobody can be written to in private',
  'channels:join': 'public channels are entered by /invite alone',
  'users:read': 'people are shown by their ids',
  'reactions:read': 'no reactions are heard',
  'reactions:write': 'no reactions are shown',
  'files:read': 'files are not copied',
  'files:write': 'files are shown as links',
  'metadata.message:read': 'copies of other instances are not known as such',
  'app_mentions:read': 'mentions outside of its channels are not heard',
  commands: 'no slash command',
}

/** Those of them that are not granted; none when Slack does not tell. */
export const missingOf = (granted: readonly string[]): string[] =>
  granted.length === 0 ? [] : Object.keys(scopes).filter(scope => !granted.includes(scope))

/** What people would miss here, a line each. */
export const lacksOf = (granted: readonly string[], command: string): string[] => [
  'no typing is shown: Slack has none for apps',
  'deletions made while we are away are not told, and edits only of the newest messages',
  "reactions of other networks are the app's own, one for each emoji",
  `slash commands are those of the app's manifest: ${command} and the words of a command; Slack has none in threads`,
  ...missingOf(granted).map(scope => `without the scope ${scope}: ${scopes[scope]}`),
]
