import { agentTypes } from '../../../core/ledger/agents/agents.ts'
import { networkStatuses } from '../../../core/ledger/settings/networks.ts'
import { holderOf } from '../command.ts'
import type { Routes } from '../house.ts'
import { problems } from '../schemas.ts'

const statusAnswer = {
  type: 'object',
  required: ['status', 'name', 'started', 'uptime', 'agents', 'networks', 'key'],
  properties: {
    status: { type: 'string', enum: ['ok', 'degraded'] },
    name: { type: 'string' },
    started: { type: 'string', format: 'date-time' },
    uptime: { type: 'integer', description: 'seconds' },
    agents: { type: 'integer' },
    networks: {
      type: 'array',
      items: {
        type: 'object',
        required: ['network', 'state'],
        properties: { network: { type: 'string' }, state: { type: 'string' }, reason: { type: 'string' } },
      },
    },
    key: {
      type: 'object',
      required: ['name', 'for', 'scopes'],
      properties: {
        name: { type: 'string' },
        for: { type: 'string' },
        scopes: { type: 'array', items: { type: 'string' } },
      },
    },
  },
} as const

/** How the instance is, and what this key is. */
export const statusRoutes: Routes = (app, { interior }) => {
  const startedMs = Date.now()
  app.get(
    '/v1/status',
    {
      config: { scope: 'any' },
      schema: {
        summary: 'How the instance is, and what this key is',
        tags: ['status'],
        response: { 200: statusAnswer, ...problems },
      },
    },
    async request =>
      interior.ledger.readNow(tx => {
        const { networks: configured, name } = interior.settings()
        const networks = networkStatuses(tx).filter(({ network }) => Object.hasOwn(configured, network))
        const { key, name: owner } = holderOf(request)
        return {
          status: networks.every(({ state }) => state === 'up') ? 'ok' : 'degraded',
          name,
          started: new Date(startedMs).toISOString(),
          uptime: Math.floor((Date.now() - startedMs) / 1000),
          agents: [...agentTypes(tx).values()].reduce((sum, each) => sum + each, 0),
          networks: networks.map(({ network, state, reason }) => ({
            network,
            state,
            ...(reason === undefined ? {} : { reason }),
          })),
          key: { name: key.account, for: owner, scopes: key.scopes },
        }
      }),
  )
}
