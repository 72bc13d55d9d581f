/** What programs send to a webhook. */
export const hookFormats = ['text', 'slack', 'github', 'gitlab', 'grafana', 'alertmanager'] as const
export type HookFormat = (typeof hookFormats)[number]
