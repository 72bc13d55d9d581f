/** Alerts of Prometheus' Alertmanager, and of Grafana, whose webhook has the same shape and more. */
import { z } from 'zod'
import { bold, type Line, link, listOf, number, say, summary, title, words } from './words.ts'

const labels = z.record(z.string(), z.string()).catch({})
const alert = z.object({
  status: z.string().catch('firing'),
  labels,
  annotations: labels,
  generatorURL: words,
  panelURL: words,
  dashboardURL: words,
  valueString: words,
})
const message = z.object({
  status: z.string().catch('firing'),
  alerts: listOf(alert),
  groupLabels: labels.optional(),
  commonLabels: labels.optional(),
  commonAnnotations: labels.optional(),
  externalURL: words,
  truncatedAlerts: number,
  title: words,
  message: words,
})
type Alert = z.output<typeof alert>

const mostAlerts = 8
const sign = (status: string): string => (status === 'resolved' ? '✅' : '🔥')

/** What tells it from others of its name. */
const tellingLabels = ({ labels: all }: Alert, common: Readonly<Record<string, string>>): string =>
  Object.entries(all)
    .filter(([name]) => name !== 'alertname' && name !== 'severity' && !(name in common) && !name.startsWith('__'))
    .slice(0, 6)
    .map(([name, value]) => `${name}=${summary(value, 60)}`)
    .join(' ')

function alertLine(one: Alert, common: Readonly<Record<string, string>>): Line {
  const { annotations, labels: all, status } = one
  const words = annotations['summary'] ?? annotations['description'] ?? annotations['message'] ?? ''
  const severity = all['severity'] === undefined ? '' : ` [${all['severity']}]`
  const telling = tellingLabels(one, common)
  const about = [summary(words), telling].filter(part => part !== '').join(' · ')
  const name = link(title(all['alertname'] ?? 'alert'), one.panelURL ?? one.dashboardURL ?? one.generatorURL)
  return say(`${sign(status)} `, name, severity, about === '' ? '' : `: ${about}`)
}

function alertLines({ alerts, truncatedAlerts, commonLabels }: z.output<typeof message>): readonly Line[] {
  const common = alerts.length > 1 ? { ...commonLabels } : {}
  const shown = alerts.slice(0, mostAlerts).map(one => alertLine(one, common))
  const more = alerts.length - shown.length + (truncatedAlerts ?? 0)
  return [...shown, more > 0 ? say(`… and ${more} alerts more`) : []]
}

export function alertmanager(body: unknown): readonly Line[] {
  const read = message.parse(body)
  const { status, alerts, groupLabels, externalURL } = read
  if (alerts.length === 1) return alertLines(read)
  const group = Object.values(groupLabels ?? {})
    .map(value => title(value, 60))
    .join(' ')
  const firing = alerts.filter(one => one.status !== 'resolved').length
  const counts =
    status === 'resolved' ? `${alerts.length} resolved` : `${firing} firing, ${alerts.length - firing} resolved`
  return [
    say(`${sign(status)} `, link(group === '' ? 'alerts' : group, externalURL), `: ${counts}`),
    ...alertLines(read),
  ]
}

export function grafana(body: unknown): readonly Line[] {
  const read = message.parse(body)
  if (read.alerts.length > 0) return alertmanager(body)
  return [say(`${sign(read.status)} `, bold(title(read.title ?? 'Grafana'))), say(summary(read.message))]
}
