/**
 * The tools, resources and prompts that MCP's conformance suite wants to find, behind the very routes, keys and server that stand before
 * Chanop's own: what the suite says of transport, headers, errors and schemas here it says of `/mcp`.
 */
import {
  type CallToolResult,
  createRequestStateCodec,
  fromJsonSchema,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  McpServer,
  ResourceTemplate,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const wav = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA='
const text = (words: string) => ({ type: 'text' as const, text: words })
const image = { type: 'image' as const, data: png, mimeType: 'image/png' }
const embedded = (uri: string, mimeType: string, words: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text: words },
})

type Result = CallToolResult | InputRequiredResult
type Call = (context: ServerContext) => Promise<Result> | Result
const all = (...content: CallToolResult['content']): CallToolResult => ({ content })
const states = createRequestStateCodec<string>({ key: 'of the samples of the conformance suite alone' })

const contents: Readonly<Record<string, Call>> = {
  test_simple_text: () => all(text('This is a simple text response for testing.')),
  test_image_content: () => all(image),
  test_audio_content: () => all({ type: 'audio', data: wav, mimeType: 'audio/wav' }),
  test_embedded_resource: () =>
    all(embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource.')),
  test_multiple_content_types: () =>
    all(text('several'), image, embedded('test://mixed-content-resource', 'application/json', '{"value":123}')),
  test_error_handling: () => {
    throw new Error('This tool intentionally returns an error for testing')
  },
  test_tool_with_logging: async ({ mcpReq }) => {
    for (const what of ['started', 'goes on', 'completed']) await mcpReq.log('info', what)
    return all(text('it was logged'))
  },
  test_logging_tool: async ({ mcpReq }) => {
    await mcpReq.log('info', 'called')
    return all(text('it was logged'))
  },
  test_tool_with_progress: async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken
    for (const progress of progressToken === undefined ? [] : [0, 50, 100])
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } })
    return all(text('done'))
  },
}

const form = (message: string, name: string, value: z.ZodType = z.string()) =>
  inputRequired.elicit({ message, requestedSchema: z.object({ [name]: value }) })
const sampling = (words: string) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: text(words) }], maxTokens: 100 })

const requests = {
  user_name: form('What is your name?', 'name'),
  capital_question: sampling('What is the capital of France?'),
  greeting: sampling('Generate a greeting'),
  client_roots: inputRequired.listRoots(),
  confirm: form('Please confirm', 'ok', z.boolean()),
  step1: form('Step 1: What is your name?', 'name'),
  step2: form('Step 2: What is your favorite color?', 'color'),
  user_context: form('What context should the prompt use?', 'context'),
}
type Asked = keyof typeof requests

/** Whether all of it was answered, and what is asked for if not. */
async function input(
  { mcpReq }: ServerContext,
  names: readonly Asked[],
  state?: string,
): Promise<InputRequiredResult | null> {
  const given = mcpReq.requestState<string>()
  const isThere = names.every(name => inputResponse(mcpReq.inputResponses, name).kind !== 'missing')
  if (isThere && given === state) return null
  const inputRequests = Object.fromEntries(names.map(name => [name, requests[name]]))
  return inputRequired({ inputRequests, ...(state === undefined ? {} : { requestState: await states.mint(state) }) })
}

const asking =
  (names: readonly Asked[], state?: string): Call =>
  async context =>
    (await input(context, names, state)) ?? all(text('state-ok'))

const inputs: Readonly<Record<string, Call>> = {
  test_input_required_result_elicitation: asking(['user_name']),
  test_input_required_result_sampling: asking(['capital_question']),
  test_input_required_result_list_roots: asking(['client_roots']),
  test_input_required_result_request_state: asking(['confirm'], 'asked'),
  test_input_required_result_tampered_state: asking(['confirm'], 'asked'),
  test_input_required_result_multiple_inputs: asking(['user_name', 'greeting', 'client_roots'], 'asked'),
  test_input_required_result_multi_round: async context => {
    if (context.mcpReq.requestState<string>() !== 'two') {
      const first = await input(context, ['step1'], 'one')
      if (first) return first
    }
    return (await input(context, ['step2'], 'two')) ?? all(text('done'))
  },
  test_input_required_result_capabilities: asking(['capital_question']),
  test_missing_capability: asking(['capital_question']),
  test_streaming_elicitation: asking(['user_name']),
}

/** Pairs, so that nothing takes the schema for a promise. */
const conditions = [
  ['if', { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] }],
  ['then', { required: ['phone'] }],
  ['else', { required: ['email'] }],
] as const
/** All that JSON Schema 2020-12 has and earlier ones have not. */
const schema2020 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  additionalProperties: false,
  ...Object.fromEntries(conditions),
}

function tools(server: McpServer): void {
  for (const [name, call] of Object.entries({ ...contents, ...inputs }))
    server.registerTool(name, { description: name.replaceAll('_', ' ') }, call as never)
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'JSON Schema 2020-12', inputSchema: fromJsonSchema(schema2020 as never) },
    args => all(text(JSON.stringify(args))),
  )
  const region = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } }
  server.registerTool(
    'test_header',
    { description: 'an argument that stands in a header too', inputSchema: fromJsonSchema(region as never) },
    args => all(text(JSON.stringify(args))),
  )
}

function resources(server: McpServer): void {
  const about = { description: 'of the suite', mimeType: 'text/plain' }
  const mimeType = 'text/plain'
  for (const name of ['static-text', 'watched-resource'])
    server.registerResource(name, `test://${name}`, about, uri => ({
      contents: [{ uri: uri.href, mimeType, text: name }],
    }))
  server.registerResource('static-binary', 'test://static-binary', { ...about, mimeType: 'image/png' }, uri => ({
    contents: [{ uri: uri.href, mimeType: 'image/png', blob: png }],
  }))
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined })
  server.registerResource('template', template, { ...about, mimeType: 'application/json' }, (uri, { id }) => ({
    contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true }) }],
  }))
}

function prompts(server: McpServer): void {
  const user = (...contents: (ReturnType<typeof text> | ReturnType<typeof embedded> | typeof image)[]) => ({
    messages: contents.map(content => ({ role: 'user' as const, content })),
  })
  const described = { description: 'of the suite' }
  server.registerPrompt('test_simple_prompt', described, () => user(text('This is a simple prompt for testing.')))
  server.registerPrompt('test_prompt_with_image', described, () => user(image, text('Please analyze the image above.')))
  const two = z.object({ arg1: z.string().describe('first'), arg2: z.string().describe('second') })
  server.registerPrompt('test_prompt_with_arguments', { ...described, argsSchema: two }, ({ arg1, arg2 }) =>
    user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  )
  const one = z.object({ resourceUri: z.string().describe('what is embedded') })
  server.registerPrompt('test_prompt_with_embedded_resource', { ...described, argsSchema: one }, ({ resourceUri }) =>
    user(embedded(resourceUri, 'text/plain', 'Embedded resource content for testing.'), text('Please process it.')),
  )
  server.registerPrompt(
    'test_input_required_result_prompt',
    described,
    (async (context: ServerContext) => (await input(context, ['user_context'])) ?? user(text('with context'))) as never,
  )
}

export function sampleServer(): McpServer {
  const server = new McpServer(
    { name: 'samples', version: '1.0.0' },
    {
      capabilities: { tools: {}, resources: {}, prompts: {}, logging: {}, completions: {} },
      requestState: { verify: (state, context) => states.verify(state, context) },
    },
  )
  tools(server)
  resources(server)
  prompts(server)
  server.server.setRequestHandler('completion/complete', () => ({
    completion: { values: [], total: 0, hasMore: false },
  }))
  return server
}
