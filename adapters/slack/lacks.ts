import { missingOf, scopes } from './scopes.ts'

/** What people would miss here, a line each. */
export const lacksOf = (granted: readonly string[], command: string): string[] => [
  'no typing is shown: Slack has none for apps',
  'deletions made while we are away are not told, and edits only of the newest messages',
  "reactions of other networks are the app's own, one for each emoji",
  `slash commands are those of the app's manifest: ${command} and the words of a command; Slack has none in threads`,
  ...missingOf(granted).map(scope => `without the scope ${scope}: ${scopes[scope]}`),
]
