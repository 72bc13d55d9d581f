/** What an MCP client finds here: commands as tools, rooms' records as resources, prompts for common work. */
import { createRequire } from 'node:module'
import {
  type CallToolResult,
  fromJsonSchema,
  McpServer,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server'
import { includes } from '../../../core/access/role.ts'
import type { Published } from '../../../core/command/help/published.ts'
import { roleIn } from '../../../core/ledger/people/roles.ts'
import { deadline } from '../../../core/retry.ts'
import { type Args, catalogueOf, perform } from '../command.ts'
import { type Holder, hasScope } from '../door/access.ts'
import type { House } from '../house.ts'
import { asProblem } from '../problem.ts'
import { schemaOf } from '../routes/commands.ts'
import { answer } from '../schemas.ts'
import { registerPrompts } from './prompts.ts'
import { type Reader, registerResources } from './resources.ts'

export interface Asking extends Reader {
  /** Tools that are called: one, or several at once by clients of 2025-03-26. */
  readonly tools: readonly string[]
}

const waitMs = 60_000
const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string }
/** What a tool answers: the same as `POST /v1/commands/<name>`. */
const answered = fromJsonSchema<Record<string, unknown>>(answer)

const schemas = new WeakMap<object, StandardSchemaWithJSON<Args, Args>>()

/** The schema of a command's arguments: made once for each, however many servers there are. */
function inputOf(command: Published): StandardSchemaWithJSON<Args, Args> {
  const json = schemaOf(command)
  const made = schemas.get(json) ?? fromJsonSchema<Args>(json as never)
  schemas.set(json, made)
  return made
}

/** `role grant` as programs write it. */
export const toolName = (command: string): string => command.replaceAll(' ', '_')

const named = (house: House, tool: string): Published | undefined =>
  catalogueOf(house).all.find(({ name }) => toolName(name) === tool)

/** Commands that a key may say in at least one place. What it may in the end is decided when it asks. */
export function toolsFor(house: House, { key, person, agent }: Holder): readonly Published[] {
  if (!key.scopes.includes('command')) return []
  const all = catalogueOf(house).all.filter(({ where }) => where === null || where === 'dm')
  if (agent || !person) return all.filter(command => command.agents)
  const nowMs = Date.now()
  const rooms = ['', ...house.interior.rooms.all().map(({ name }) => name)]
  const roles = house.interior.ledger.readNow(tx => rooms.map(room => roleIn(tx, person, room, nowMs)))
  return all.filter(({ role, scope }) =>
    scope === 'room' ? roles.some(mine => includes(mine, role)) : includes(roles[0] ?? 'guest', role),
  )
}

async function outcome(house: House, { holder, signal }: Asking, name: string, args: Args): Promise<CallToolResult> {
  try {
    const until = AbortSignal.any([signal, deadline(waitMs, house.closing)])
    const given = await perform(house, { holder, name, args, signal: until })
    const words = [...given.lines, ...(given.secrets ?? [])].join('\n')
    return { content: [{ type: 'text', text: words }], structuredContent: { ...given } }
  } catch (error) {
    const { message, code } = asProblem(error)
    return { content: [{ type: 'text', text: `${code}: ${message}` }], isError: true }
  }
}

/** Each request is answered by a server of its own: nobody is told of changes. */
const still = { listChanged: false } as const

/** One server for one request: what is in it is what its key may see at that moment. */
export function mcpServer(house: House, asking: Asking): McpServer {
  const { holder } = asking
  const { name } = house.interior.settings()
  const reads = hasScope(holder, 'read')
  const server = new McpServer(
    { name: 'chanop', title: `Chanop: ${name}`, version },
    {
      capabilities: { tools: still, prompts: still, ...(reads ? { resources: still } : {}) },
      instructions: `Chanop runs bots, agents and rooms over several chat platforms. You act for ${holder.name}: tools are commands that they may give, resources are the records of rooms that they may read. A tool that answers with a question wants yes with its code.`,
    },
  )
  const tools = toolsFor(house, holder)
  // One that is called and may not be is refused where all commands are, and stands in the audit.
  const called = hasScope(holder, 'command') ? asking.tools.flatMap(tool => named(house, tool) ?? []) : []
  for (const command of new Set([...tools, ...called])) {
    server.registerTool(
      toolName(command.name),
      {
        title: command.name,
        description: command.summary,
        inputSchema: inputOf(command),
        outputSchema: answered,
        annotations: { readOnlyHint: !command.mutates, destructiveHint: command.confirms, openWorldHint: false },
      },
      args => outcome(house, asking, command.name, args),
    )
  }
  if (reads) registerResources(server, house, asking)
  registerPrompts(server)
  return server
}
