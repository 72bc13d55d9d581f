/** GitHub's webhooks: https://docs.github.com/webhooks/webhook-events-and-payloads. */
import { z } from 'zod'
import type { Segment } from '../../../core/event.ts'
import { bold, flag, type Line, link, listOf, mono, number, part, say, summary, title, words } from './words.ts'

const named = part({ login: words, name: words })
const thing = part({
  number: number,
  title: words,
  html_url: words,
  body: words,
  name: words,
  tag_name: words,
  state: words,
  merged: flag,
  draft: flag,
  conclusion: words,
  status: words,
  head_branch: words,
  environment: words,
  run_number: number,
})
const payload = z.object({
  action: words,
  repository: part({ full_name: words, html_url: words }),
  organization: part({ login: words }),
  sender: named,
  ref: words,
  ref_type: words,
  compare: words,
  forced: flag,
  created: flag,
  deleted: flag,
  commits: listOf(z.object({ id: z.string(), message: z.string(), url: words, author: named })),
  issue: thing,
  pull_request: thing,
  discussion: thing,
  comment: thing,
  review: thing,
  release: thing,
  workflow_run: thing,
  check_suite: thing,
  deployment: thing,
  deployment_status: thing,
  forkee: part({ full_name: words, html_url: words }),
  zen: words,
})
type Payload = z.output<typeof payload>
type Thing = NonNullable<z.output<typeof thing>>

const mostCommits = 5

const who = ({ sender }: Payload): string => sender?.login ?? 'somebody'
const repo = ({ repository, organization }: Payload): Segment =>
  link(repository?.full_name ?? organization?.login ?? 'GitHub', repository?.html_url)
const about = ({ number, title: words, name, html_url }: Thing): Segment =>
  link(`${number == null ? '' : `#${number} `}${title(words ?? name)}`.trim() || 'this', html_url)
const head = (read: Payload): readonly [Segment, string] => [repo(read), ': ']

function push(read: Payload): readonly Line[] {
  const { commits, compare, forced, created, deleted } = read
  const branch = (read.ref ?? '').replace(/^refs\/(heads|tags)\//, '')
  if (deleted) return [say(...head(read), `${who(read)} deleted `, mono(branch))]
  const all = commits
  const verb = forced ? 'force-pushed' : created && all.length === 0 ? 'created' : 'pushed'
  const many = all.length === 0 ? '' : `${all.length} commit${all.length === 1 ? '' : 's'}`
  const shown = all
    .slice(0, mostCommits)
    .map(({ id, message, url, author }) =>
      say('  ', link(id.slice(0, 7), url), ` ${title(message)}`, author?.name ? ` (${title(author.name, 40)})` : ''),
    )
  const more = all.length - shown.length
  return [
    say(
      ...head(read),
      `${who(read)} ${verb} `,
      many === '' ? '' : link(many, compare),
      many === '' ? '' : ' to ',
      mono(branch),
    ),
    ...shown,
    more > 0 ? say(`  … and ${more} more`) : [],
  ]
}

/** Actions that everybody wants to hear of; labels, assignments and edits are not said. */
const told = new Set([
  'opened', 'closed', 'reopened', 'created', 'published', 'submitted', 'ready_for_review', 'converted_to_draft',
  'answered', 'deleted', 'transferred', 'dismissed', 'started',
]) // biome-ignore format: a list to read at a glance

function changed(read: Payload, kind: string, one: Thing): readonly Line[] {
  const action = read.action ?? ''
  if (!told.has(action)) return []
  const verb = action === 'closed' && one.merged ? 'merged' : action.replaceAll('_', ' ')
  const body = action === 'opened' ? summary(one.body) : ''
  return [
    say(...head(read), `${who(read)} ${verb} ${one.draft ? 'draft ' : ''}${kind} `, about(one)),
    say(body === '' ? '' : `  ${body}`),
  ]
}

function commented(read: Payload, on: Thing | null | undefined, by: Thing): readonly Line[] {
  const action = read.action ?? 'created'
  if (action !== 'created' && action !== 'submitted') return []
  const verdict = by.state && by.state !== 'commented' ? by.state.replaceAll('_', ' ') : 'commented on'
  const body = summary(by.body)
  if (verdict === 'commented on' && body === '') return []
  return [
    say(...head(read), `${who(read)} `, link(verdict, by.html_url), ' ', on ? about(on) : ''),
    say(body === '' ? '' : `  ${body}`),
  ]
}

function ended(read: Payload, what: string, run: Thing): readonly Line[] {
  if (read.action !== 'completed') return []
  const result = run.conclusion ?? run.status ?? 'ended'
  const sign = result === 'success' ? '✅' : result === 'failure' || result === 'timed_out' ? '❌' : '•'
  const branch = run.head_branch ? [' on ', mono(run.head_branch)] : []
  return [
    say(
      `${sign} `,
      ...head(read),
      link(title(run.name ?? what), run.html_url),
      ` ${result.replaceAll('_', ' ')}`,
      ...branch,
    ),
  ]
}

const byEvent: Readonly<Record<string, (read: Payload) => readonly Line[]>> = {
  push,
  ping: read => [say(...head(read), 'the hook works', read.zen ? `: ${read.zen}` : '')],
  issues: read => (read.issue ? changed(read, 'issue', read.issue) : []),
  pull_request: read => (read.pull_request ? changed(read, 'pull request', read.pull_request) : []),
  discussion: read => (read.discussion ? changed(read, 'discussion', read.discussion) : []),
  issue_comment: read => (read.comment ? commented(read, read.issue, read.comment) : []),
  discussion_comment: read => (read.comment ? commented(read, read.discussion, read.comment) : []),
  commit_comment: read => (read.comment ? commented(read, null, read.comment) : []),
  pull_request_review_comment: read => (read.comment ? commented(read, read.pull_request, read.comment) : []),
  pull_request_review: read => (read.review ? commented(read, read.pull_request, read.review) : []),
  release: read =>
    read.action === 'published' && read.release
      ? [
          say(
            ...head(read),
            `${who(read)} released `,
            link(title(read.release.name || read.release.tag_name), read.release.html_url),
          ),
        ]
      : [],
  workflow_run: read => (read.workflow_run ? ended(read, 'workflow', read.workflow_run) : []),
  check_suite: read => (read.check_suite ? ended(read, 'checks', read.check_suite) : []),
  // Each run of a check is told by its suite or its workflow.
  check_run: () => [],
  workflow_job: () => [],
  status: () => [],
  create: read => [say(...head(read), `${who(read)} created ${read.ref_type ?? ''} `, mono(read.ref ?? ''))],
  delete: read => [say(...head(read), `${who(read)} deleted ${read.ref_type ?? ''} `, mono(read.ref ?? ''))],
  fork: read => [
    say(...head(read), `${who(read)} forked it to `, link(read.forkee?.full_name ?? 'a fork', read.forkee?.html_url)),
  ],
  star: read => (read.action === 'created' ? [say(...head(read), `${who(read)} starred it`)] : []),
  watch: () => [],
  deployment_status: read => [
    say(
      ...head(read),
      bold(read.deployment_status?.state ?? 'deployed'),
      ` in ${read.deployment?.environment ?? read.deployment_status?.environment ?? 'an environment'}`,
    ),
  ],
}

/** `event`: the header X-GitHub-Event. What is not known is told by its name. */
export function github(body: unknown, event: string): readonly Line[] {
  const read = payload.parse(body)
  const known = Object.hasOwn(byEvent, event) ? byEvent[event] : undefined
  if (known) return known(read)
  const action = read.action ? ` ${read.action.replaceAll('_', ' ')}` : ''
  return [say(...head(read), `${title(event.replaceAll('_', ' ') || 'event', 60)}${action} by ${who(read)}`)]
}
