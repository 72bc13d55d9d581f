import type { Routes } from './house.ts'
import { commandRoutes } from './routes/commands.ts'
import { healthRoutes } from './routes/health.ts'

/** All there are: one file a concern, and a line here. */
export const routes: readonly Routes[] = [healthRoutes, commandRoutes]
