/** docs/models.md: each provider's section is valid, and works against a server with that provider's quirks. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { type Provider, providerNames, providerOf } from '../../../../config/providers.ts'
import { configSchema } from '../../../../config/schema.ts'
import { begin, delta, finished, ModelServer, type Received, refuse, send } from '../testing-server.ts'
import { hear, openWorld, question } from '../testing-world.ts'

const page = readFileSync(join(import.meta.dirname, '../../../../docs/models.md'), 'utf8')
const sections = new Map(
  [...page.matchAll(/^### [^\n]+: `([a-z0-9]+)`\n([\s\S]*?)(?=^### |(?![\s\S]))/gm)].map(([, name, text]) => [
    name,
    text ?? '',
  ]),
)

const used = { prompt_tokens: 7, completion_tokens: 1, total_tokens: 8 }

/** Answers as that service does: refuses what it does not know, thinks where it thinks, gives usage where it gives it. */
function behave(response: ServerResponse, { body, headers }: Received, provider: Provider): void {
  const known = [
    'model',
    'messages',
    'stream',
    provider.tokenLimit,
    ...(provider.usage === 'asked' ? ['stream_options'] : []),
  ]
  const strange = Object.keys(body).find(parameter => !known.includes(parameter))
  if (strange) return refuse(response, 422, { detail: [{ type: 'extra_forbidden', loc: ['body', strange] }] })
  if (provider.key && headers.authorization !== `Bearer value of env:${provider.key}`) return refuse(response, 401, {})
  begin(response)
  if (provider.reasoning) send(response, { choices: [{ delta: { [provider.reasoning]: 'hm' } }] })
  send(response, delta('yes'))
  const asked = provider.usage === 'given' || 'stream_options' in body
  const usage = !asked ? {} : provider.usageAt === 'usage' ? { usage: used } : { x_groq: { usage: used } }
  send(response, { ...finished(), ...usage })
  send(response, '[DONE]')
  response.end()
}

test('there is a section for every provider, and no other', () => {
  assert.deepEqual([...sections.keys()], providerNames)
})

for (const name of providerNames) {
  test(`${name}: what the page shows is valid and is answered at the first try`, async t => {
    const provider = providerOf(name)
    const section = sections.get(name) ?? ''
    const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(section) ?? []
    const { models } = configSchema.parse({ networks: { chat: { kind: 'memory' } }, ...(parse(yaml) as object) })
    assert.equal(models['main']?.provider, name)
    for (const fact of [provider.baseUrl, provider.key, provider.tokenLimit]) {
      assert.ok(fact === null || section.includes(fact), `${fact} is not in the section`)
    }
    const [suggested] = provider.suggested
    if (suggested) {
      assert.equal(models['main']?.model, suggested.model)
      assert.equal(models['main']?.price?.inputPerMillion, suggested.inputPerMillion)
      assert.equal(models['main']?.price?.outputPerMillion, suggested.outputPerMillion)
    }
    const server = await ModelServer.listen(t, (response, request) => behave(response, request, provider))
    const world = await openWorld(t, { models: { main: { ...models['main'], baseUrl: server.url } } })
    const { text, end } = await hear(world.models.stream(question, new AbortController().signal))
    assert.deepEqual([text, end?.tries, end?.estimated, end?.usage.inputTokens], ['yes', 1, false, 7])
  })
}
