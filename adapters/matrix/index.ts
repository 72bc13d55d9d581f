import type { AdapterKind } from '../../core/adapter.ts'
import { type MatrixConfig, matrixSchema } from './config.ts'

export const matrix: AdapterKind<MatrixConfig> = {
  kind: 'matrix',
  schema: matrixSchema,
  setup: [
    {
      key: 'homeserver',
      ask: 'Make an account for the bot on your homeserver, then send me the address of its client API: what stands before /_matrix (https://SERVER/.well-known/matrix/client names it as base_url).',
      example: 'https://matrix.example.org',
    },
    {
      key: 'token',
      ask: 'Log in as the bot once and send me the access token: curl -s -X POST HOMESERVER/_matrix/client/v3/login with type m.login.password answers with access_token (docs/matrix.md has the whole line); in Element it stands at All settings, Help & About, Access Token. Invite the bot to your rooms then.',
      secret: true,
      example: 'syt_…',
    },
  ],
  probe: async (config, context) => (await import('./probe.ts')).probe(config, context),
  create: async (config, context) => new (await import('./adapter.ts')).MatrixAdapter(config, context),
}
