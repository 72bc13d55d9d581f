/** What programs really send, as people read it. The bodies are cut from the senders' documentation. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plain } from '../../../core/text/text.ts'
import type { HookFormat } from './formats.ts'
import { rendered } from './render.ts'
import { isSigned } from './verify.ts'

function shown(format: HookFormat, body: unknown, headers: Record<string, string> = {}): string {
  const all: Record<string, string> = { 'content-type': 'application/json', ...headers }
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const content = rendered(format, { body: text, header: name => all[name] ?? '' })
  return content === null ? '' : plain(content)
}

const repository = { full_name: 'acme/app', html_url: 'https://github.com/acme/app' }
const github = (event: string, body: object): string =>
  shown('github', { repository, sender: { login: 'ann' }, ...body }, { 'x-github-event': event })

test('GitHub', () => {
  const commits = Array.from({ length: 7 }, (_, n) => ({
    id: `${n}0123456789abcdef`, message: `change ${n}\n\nlong`, url: `https://github.com/c/${n}`, author: { name: 'Ann' },
  })) // biome-ignore format: one commit
  const push = github('push', { ref: 'refs/heads/main', compare: 'https://github.com/x', commits })
  assert.match(push, /acme\/app.*: ann pushed 7 commits .*to `?main/)
  assert.match(push, /change 0 \(Ann\)\n.*change 1/)
  assert.match(push, /… and 2 more$/)
  assert.ok(!push.includes('long'))
  assert.match(github('push', { ref: 'refs/heads/x', deleted: true }), /ann deleted `?x/)
  const pull_request = { number: 4, title: 'Add *hooks*', html_url: 'https://github.com/p/4', merged: true }
  assert.match(github('pull_request', { action: 'closed', pull_request }), /ann merged pull request .*#4 Add \*hooks\*/)
  assert.equal(github('pull_request', { action: 'labeled', pull_request }), '')
  assert.match(
    github('issues', { action: 'opened', issue: { number: 1, title: 'x', body: 'it\nbroke' } }),
    /opened issue #1 x\n {2}it broke/,
  )
  const review = { state: 'changes_requested', body: '', html_url: 'https://g/1' }
  assert.match(github('pull_request_review', { action: 'submitted', review, pull_request }), /ann changes requested/)
  const workflow_run = { name: 'CI', conclusion: 'failure', html_url: 'https://g/2', head_branch: 'main' }
  assert.match(github('workflow_run', { action: 'completed', workflow_run }), /^❌ acme\/app.*CI.* failure on `?main/)
  assert.equal(github('workflow_run', { action: 'requested', workflow_run }), '')
  assert.match(github('release', { action: 'published', release: { tag_name: 'v2', name: '' } }), /released v2/)
  assert.match(github('secret_scanning_alert', { action: 'created' }), /secret scanning alert created by ann/)
  assert.match(github('constructor', {}), /constructor by ann/)
  assert.match(github('ping', { zen: 'Speak like a human.' }), /the hook works: Speak/)
})

test('GitLab', () => {
  const project = { path_with_namespace: 'acme/app', web_url: 'https://gitlab.com/acme/app' }
  const gitlab = (body: object): string => shown('gitlab', { project, user: { username: 'bob' }, ...body })
  const commits = [{ id: 'da1560886d4f', title: 'fixed readme', url: 'https://gitlab.com/c' }]
  assert.match(
    gitlab({ object_kind: 'push', ref: 'refs/heads/main', after: 'da15', total_commits_count: 4, commits }),
    /bob pushed 4 commits to `?main`?\n.*da156088.* fixed readme\n {2}… and 3 more/,
  )
  const object_attributes = { iid: 3, title: 'Widgets', action: 'merge', url: 'https://gitlab.com/m/3' }
  assert.match(gitlab({ object_kind: 'merge_request', object_attributes }), /bob merged merge request .*!3 Widgets/)
  assert.equal(
    gitlab({ object_kind: 'merge_request', object_attributes: { ...object_attributes, action: 'update' } }),
    '',
  )
  const note = { note: 'looks\ngood', url: 'https://gitlab.com/n' }
  assert.match(
    gitlab({ object_kind: 'note', object_attributes: note, merge_request: { iid: 3, title: 'Widgets', url: null } }),
    /bob commented.* on !3 Widgets\n {2}looks good/,
  )
  const run = { id: 9, status: 'failed', ref: 'main', url: 'https://gitlab.com/p/9' }
  assert.match(gitlab({ object_kind: 'pipeline', object_attributes: run }), /^❌ .*pipeline 9.* failed on `?main/)
  assert.equal(gitlab({ object_kind: 'pipeline', object_attributes: { ...run, status: 'running' } }), '')
  assert.match(gitlab({ object_kind: 'feature_flag' }), /feature flag by bob/)
})

test('Alertmanager and Grafana', () => {
  const one = {
    status: 'firing',
    labels: { alertname: 'DiskFull', severity: 'critical', instance: 'db1:9100' },
    annotations: { summary: 'disk of db1 is full' },
    generatorURL: 'https://prom/graph',
  }
  const body = { version: '4', status: 'firing', alerts: [one], groupLabels: { alertname: 'DiskFull' } }
  assert.match(shown('alertmanager', body), /^🔥 DiskFull.* \[critical\]: disk of db1 is full · instance=db1:9100$/)
  const many = { ...body, alerts: Array.from({ length: 12 }, () => one), truncatedAlerts: 3, commonLabels: one.labels }
  const lines = shown('alertmanager', many).split('\n')
  assert.match(lines[0] ?? '', /DiskFull: 12 firing, 0 resolved/)
  assert.match(lines.at(-1) ?? '', /… and 7 alerts more/)
  assert.equal(lines.length, 10)
  assert.match(
    shown('grafana', { ...body, status: 'resolved', alerts: [{ ...one, status: 'resolved' }] }),
    /^✅ DiskFull/,
  )
  assert.match(
    shown('grafana', { title: 'Test', message: 'it works', alerts: [] }),
    /^🔥 \*{0,2}Test\*{0,2}\nit works$/,
  )
  assert.match(shown('alertmanager', { alerts: [{ labels: 7, annotations: null }] }), /^🔥 alert$/)
})

test('Slack', () => {
  const links = shown('slack', { text: 'see <https://ci.example/1|build 1> &amp; <!channel> <@U1|ann> *now*' })
  assert.match(links, /see build 1 \(https:\/\/ci\.example\/1\) & channel ann/)
  const attachments = [
    { title: 'T', title_link: 'https://x.example', text: 'a\nb', fields: [{ title: 'F', value: 3 }] },
  ]
  assert.match(shown('slack', { attachments }), /^T \(https:\/\/x\.example\S*\)\na\nb\n.*F.*: 3$/)
  const blocks = [
    { type: 'header', text: { text: 'Deploy' } },
    { type: 'section', text: { text: 'done' } },
    { type: 'divider' },
  ]
  assert.match(shown('slack', { text: 'fallback', blocks }), /^\*{0,2}Deploy\*{0,2}\ndone$/)
  assert.equal(shown('slack', {}), '')
})

test('what a sender has changed counts as missing, and the rest is told', () => {
  // https://docs.gitlab.com/user/project/integrations/webhook_events#job-events has a boolean where a release has a name.
  assert.equal(shown('gitlab', { object_kind: 'build', ref: 'main', tag: false, build_status: 'created' }), '')
  const bodies: [HookFormat, string, Record<string, unknown>][] = [
    ['github', 'push', { repository, sender: { login: 'ann' }, ref: 'refs/heads/x', forced: false, commits: [] }],
    ['github', 'issues', { repository, sender: { login: 'ann' }, action: 'opened', issue: { number: 1, title: 'x' } }],
    [
      'gitlab',
      '',
      { object_kind: 'note', user: { username: 'b' }, object_attributes: { note: 'x' }, issue: { iid: 1 } },
    ],
    ['grafana', '', { status: 'firing', title: 't', message: 'm', alerts: [{ labels: { a: 'b' }, annotations: {} }] }],
    [
      'alertmanager',
      '',
      { status: 'firing', alerts: [{ labels: {} }, { labels: {} }], groupLabels: {}, externalURL: 'x' },
    ],
    ['slack', '', { text: 'x', attachments: [{ title: 'x', fields: [{ title: 'a', value: 1 }] }], blocks: [] }],
  ]
  for (const [format, event, body] of bodies)
    for (const strange of [7, 'x', true, null, [], {}, [null], [{}], { a: { b: [] } }])
      for (const name of Object.keys(body))
        assert.doesNotThrow(() => shown(format, { ...body, [name]: strange }, { 'x-github-event': event }), name)
  assert.match(shown('slack', { attachments: [7, { text: 'kept' }] }), /^kept$/)
})

test('JSON as a field of a form', () => {
  const form = (body: object) => `payload=${encodeURIComponent(JSON.stringify(body))}`
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-github-event': 'ping' }
  assert.match(shown('github', form({ repository, zen: 'Speak & be + heard' }), headers), /works: Speak & be \+ heard/)
  assert.equal(shown('slack', form({ text: 'hello' }), headers), 'hello')
  assert.equal(shown('text', 'payload', headers), 'payload')
})

test('text, and what is too long', () => {
  assert.equal(shown('text', 'hello', { 'content-type': 'text/plain' }), 'hello')
  assert.equal(shown('text', { text: 'a\nb' }), 'a\nb')
  assert.throws(() => shown('text', { content: 'x' }), /send \{"text"/)
  assert.ok(shown('text', { text: 'x'.repeat(100_000) }).length <= 4001)
  assert.equal(shown('text', '  \n ', { 'content-type': 'text/plain' }), '')
  const many = shown('text', { text: 'x\n\r\n'.repeat(100) }).split('\n')
  assert.deepEqual([many.length, many.at(-1)], [21, '… and 179 lines more'])
  assert.equal(shown('text', 'x\n'.repeat(20), { 'content-type': 'text/plain' }), 'x\n'.repeat(20).trim())
  for (const format of ['slack', 'github', 'gitlab', 'grafana', 'alertmanager'] as const)
    for (const bad of ['null', '[]', '"x"', '7', '{'])
      assert.throws(() => shown(format, bad), Error, `${format} ${bad}`)
})

test('no key is shown, and nothing that turns a line round or begins another, wherever it stands', () => {
  const pem = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkq\n'.repeat(20)}-----END PRIVATE KEY-----`
  const token = `ghp_${'a'.repeat(36)}`
  const title = `leak ${token}`
  const issue = { number: 1, title, html_url: 'https://github.com/i/1' }
  const long = { ...issue, title: `${'x'.repeat(100)} ${token}` }
  const link = `https://ci.example/?key=${token}`
  const texts = [
    shown('text', { text: pem }),
    shown('text', pem, { 'content-type': 'text/plain' }),
    shown('slack', { text: pem }),
    shown('slack', { text: `<${link}|the build> <${link}>` }),
    github('issues', { action: 'opened', issue }),
    github('issues', { action: 'opened', issue: long }),
  ]
  const pieces = { [token]: 'x', password: 'p'.repeat(32) }
  texts.push(shown('alertmanager', { alerts: [{ labels: { alertname: 'A', ...pieces }, annotations: {} }] }))
  texts.push(shown('text', { text: token.replace('_a', '_a\u0007') }))
  for (const text of texts) assert.ok(text.includes('[secret]') && !/MIIE|ghp_|pppp/.test(text), text)
  const turned = github('issues', { action: 'opened', issue: { ...issue, title: 'a\u202eb\u001b[31m' } })
  assert.match(turned, /#1 ab\[31m/)
  const labels = { alertname: 'A', severity: 'x\n<olga> do it' }
  assert.equal(shown('alertmanager', { alerts: [{ labels, annotations: {} }] }), '🔥 A [x <olga> do it]')
})

test('signatures', () => {
  const posted = (headers: Record<string, string>) => ({
    body: '{"a":1}',
    header: (name: string) => headers[name] ?? '',
  })
  // printf '{"a":1}' | openssl dgst -sha256 -hmac secret
  const hex = 'aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494'
  assert.equal(isSigned('github', posted({ 'x-hub-signature-256': `sha256=${hex}` }), 'secret'), true)
  assert.equal(isSigned('github', posted({ 'x-hub-signature-256': `sha256=${hex}` }), 'secret2'), false)
  assert.equal(isSigned('github', posted({ 'x-hub-signature-256': hex }), 'secret'), false)
  assert.equal(isSigned('github', posted({ authorization: 'Bearer secret' }), 'secret'), false)
  assert.equal(isSigned('text', posted({ authorization: 'Bearer secret' }), 'secret'), true)
  assert.equal(isSigned('text', posted({ authorization: 'Bearer secre' }), 'secret'), false)
  assert.equal(isSigned('gitlab', posted({ 'x-gitlab-token': '' }), 'secret'), false)
  const late = { 'webhook-id': 'm', 'webhook-timestamp': '1000000000', 'webhook-signature': 'v1,x' }
  assert.equal(isSigned('text', posted(late), 'secret'), false)
})
