import type { AdapterKind } from '../../core/adapter.ts'
import { type MatrixConfig, matrixSchema } from './config.ts'

export const matrix: AdapterKind<MatrixConfig> = {
  kind: 'matrix',
  schema: matrixSchema,
  create: async (config, context) => (await import('./adapter.ts')).createMatrixAdapter(config, context),
}
