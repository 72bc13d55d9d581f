/** GitLab's webhooks: https://docs.gitlab.com/user/project/integrations/webhook_events. */
import { z } from 'zod'
import type { Segment } from '../../../core/event.ts'
import { type Line, link, listOf, mono, number, part, say, summary, title, words } from './words.ts'

const thing = part({ iid: number, title: words, url: words })
const payload = z.object({
  object_kind: words,
  event_name: words,
  user_name: words,
  user_username: words,
  user: part({ name: words, username: words }),
  project: part({ path_with_namespace: words, web_url: words }),
  ref: words,
  before: words,
  after: words,
  checkout_sha: words,
  total_commits_count: number,
  commits: listOf(z.object({ id: z.string(), message: words, title: words, url: words })),
  object_attributes: part({
    iid: number,
    id: number,
    title: words,
    url: words,
    action: words,
    state: words,
    status: words,
    note: words,
    noteable_type: words,
    description: words,
    ref: words,
    name: words,
    tag: words,
  }),
  merge_request: thing,
  issue: thing,
  name: words,
  tag: words,
  url: words,
  action: words,
  status: words,
  build_name: words,
  build_status: words,
})
type Payload = z.output<typeof payload>

const mostCommits = 5
const nothing = /^0{40,64}$/

const who = ({ user, user_username, user_name }: Payload): string =>
  user?.username ?? user_username ?? user?.name ?? user_name ?? 'somebody'
const head = ({ project }: Payload): readonly [Segment, string] => [
  link(project?.path_with_namespace ?? 'GitLab', project?.web_url),
  ': ',
]
const branchOf = (ref: string | null | undefined): string => (ref ?? '').replace(/^refs\/(heads|tags)\//, '')

function push(read: Payload): readonly Line[] {
  const branch = mono(branchOf(read.ref))
  if (nothing.test(read.after ?? '')) return [say(...head(read), `${who(read)} deleted `, branch)]
  const all = read.commits
  const total = read.total_commits_count ?? all.length
  if (total === 0) return [say(...head(read), `${who(read)} created `, branch)]
  const shown = all
    .slice(-mostCommits)
    .map(({ id, title: first, message, url }) => say('  ', link(id.slice(0, 8), url), ` ${title(first ?? message)}`))
  const more = total - shown.length
  return [
    say(...head(read), `${who(read)} pushed ${total} commit${total === 1 ? '' : 's'} to `, branch),
    ...shown,
    more > 0 ? say(`  … and ${more} more`) : [],
  ]
}

/** Actions that everybody wants to hear of. */
const told = new Set(['open', 'close', 'reopen', 'merge', 'approved', 'unapproved', 'create', 'delete'])
const past: Readonly<Record<string, string>> = {
  open: 'opened', close: 'closed', reopen: 'reopened', merge: 'merged', create: 'created', delete: 'deleted',
} // biome-ignore format: a list to read at a glance

function changed(read: Payload, kind: string, sign: string): readonly Line[] {
  const one = read.object_attributes
  const action = one?.action ?? ''
  if (!one || !told.has(action)) return []
  const what = link(`${one.iid == null ? '' : `${sign}${one.iid} `}${title(one.title)}`.trim(), one.url)
  return [say(...head(read), `${who(read)} ${past[action] ?? action} ${kind} `, what)]
}

function noted(read: Payload): readonly Line[] {
  const note = read.object_attributes
  const on = read.merge_request ?? read.issue
  const what = on
    ? link(`${read.merge_request ? '!' : '#'}${on.iid ?? ''} ${title(on.title)}`, on.url)
    : (note?.noteable_type ?? '')
  return [
    say(...head(read), `${who(read)} `, link('commented', note?.url), ' on ', what),
    say(`  ${summary(note?.note)}`),
  ]
}

function pipeline(read: Payload): readonly Line[] {
  const { id, status, ref, url } = read.object_attributes ?? {}
  const sign = status === 'success' ? '✅' : status === 'failed' ? '❌' : '•'
  if (!status || !['success', 'failed', 'canceled'].includes(status)) return []
  return [say(`${sign} `, ...head(read), link(`pipeline ${id ?? ''}`.trim(), url), ` ${status} on `, mono(ref ?? ''))]
}

const byKind: Readonly<Record<string, (read: Payload) => readonly Line[]>> = {
  push,
  tag_push: read => [
    say(
      ...head(read),
      `${who(read)} ${nothing.test(read.after ?? '') ? 'deleted' : 'pushed'} tag `,
      mono(branchOf(read.ref)),
    ),
  ],
  issue: read => changed(read, 'issue', '#'),
  work_item: read => changed(read, 'work item', '#'),
  merge_request: read => changed(read, 'merge request', '!'),
  note: noted,
  pipeline,
  // Jobs are told by their pipeline.
  build: () => [],
  job: () => [],
  wiki_page: read => changed(read, 'wiki page', ''),
  release: read => [
    say(...head(read), `release `, link(title(read.name ?? read.tag), read.url), read.action ? ` ${read.action}d` : ''),
  ],
}

export function gitlab(body: unknown): readonly Line[] {
  const read = payload.parse(body)
  const kind = read.object_kind ?? read.event_name ?? ''
  const known = Object.hasOwn(byKind, kind) ? byKind[kind] : undefined
  return known
    ? known(read)
    : [say(...head(read), `${title(kind.replaceAll('_', ' ') || 'event', 60)} by ${who(read)}`)]
}
