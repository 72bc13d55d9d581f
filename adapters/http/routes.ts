import type { Routes } from './house.ts'
import { agentRoutes } from './routes/agents.ts'
import { channelRoutes } from './routes/channels.ts'
import { chatRoutes } from './routes/chat.ts'
import { commandRoutes } from './routes/commands.ts'
import { embeddingRoutes } from './routes/embeddings.ts'
import { healthRoutes } from './routes/health.ts'
import { hookRoutes } from './routes/hooks.ts'
import { mcpRoutes } from './routes/mcp.ts'
import { modelRoutes } from './routes/models.ts'
import { openApiRoutes } from './routes/openapi.ts'
import { responseRoutes } from './routes/responses.ts'
import { statusRoutes } from './routes/status.ts'
import { streamRoutes } from './routes/stream.ts'

/** All there are: one file a concern, and a line here. */
export const routes: readonly Routes[] = [
  healthRoutes,
  statusRoutes,
  commandRoutes,
  channelRoutes,
  agentRoutes,
  streamRoutes,
  modelRoutes,
  chatRoutes,
  responseRoutes,
  embeddingRoutes,
  hookRoutes,
  mcpRoutes,
  openApiRoutes,
]
