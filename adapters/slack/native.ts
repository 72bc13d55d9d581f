import { isRecord, type Loose } from '../../core/loose.ts'

/** What Slack sends is JSON whose kinds grow: everything is read through these, so that nothing odd can throw. */
export type Native = Loose

const nothing: Native = Object.freeze({})

/** The object of that name, or an empty one. */
export const part = (of: Native, name: string): Native => {
  const value = of[name]
  return isRecord(value) ? value : nothing
}

/** The objects of that list; others in it are left out. */
export const list = (of: Native, name: string): readonly Native[] => {
  const value = of[name]
  return Array.isArray(value) ? value.filter(isRecord) : []
}

/** The string of that name, or ''. */
export const str = (of: Native, name: string): string => {
  const value = of[name]
  return typeof value === 'string' ? value : ''
}

export const strings = (of: Native, name: string): readonly string[] => {
  const value = of[name]
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}

export const num = (of: Native, name: string): number | undefined => {
  const value = of[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

export const flag = (of: Native, name: string): boolean => of[name] === true

const stamp = /^(\d{1,12})\.(\d{1,9})$/

/** Whether it is the time that names a message: `1700000000.123456`. */
export const isTs = (value: string): boolean => stamp.test(value)

/** When that was, Unix ms; 0 when it is no such time. */
export function tsMs(ts: string): number {
  const [, seconds, fraction] = stamp.exec(ts) ?? []
  return seconds === undefined ? 0 : Number(seconds) * 1000 + Math.floor(Number(`0.${fraction}`) * 1000)
}

export const tsOf = (atMs: number): string => `${Math.floor(atMs / 1000)}.${String(atMs % 1000).padStart(3, '0')}000`

/** Earlier first. */
export function compareTs(a: string, b: string): number {
  const [secondsA = '0', restA = ''] = a.split('.')
  const [secondsB = '0', restB = ''] = b.split('.')
  return Number(secondsA) - Number(secondsB) || Number(restA.padEnd(9, '0')) - Number(restB.padEnd(9, '0'))
}
