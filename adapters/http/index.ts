import type { AdapterKind } from '../../core/adapter.ts'
import { baseUrl, type HttpConfig, httpSchema } from './config.ts'
import { hookFormats } from './hooks/formats.ts'

export const http: AdapterKind<HttpConfig> = {
  kind: 'http',
  schema: httpSchema,
  keysAt: baseUrl,
  hookFormats,
  create: async (config, context) => (await import('./adapter.ts')).createHttpAdapter(config, context),
}
