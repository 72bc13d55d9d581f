/** The vault's key file: one key a line, in base64, the one in use first. Between two of them while a change is under way. */
import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

export interface VaultKey {
  /** 4 bytes in hex: a box names its key by it. */
  readonly id: string
  readonly key: Buffer
}

const keyBytes = 32

/** Null: the file holds something else. Throws when it can't be read. */
export function readKeys(keyFile: string): readonly VaultKey[] | null {
  const lines = readFileSync(keyFile, 'utf8').trim().split('\n')
  const keys = lines.map(line => Buffer.from(line.trim(), 'base64'))
  return keys.every(key => key.length === keyBytes) ? keys.map(key => ({ id: idOf(key), key })) : null
}

const idOf = (key: Buffer): string =>
  createHash('sha256').update('chanop vault').update(key).digest().subarray(0, 4).toString('hex')

const newKey = (): Buffer => randomBytes(keyBytes)

/** A new key, whole and on the disk before anything is sealed with it. Never replaces a file that is there. */
export function makeKeyFile(keyFile: string): void {
  mkdirSync(dirname(keyFile), { recursive: true, mode: 0o700 })
  const draft = writeAside(`${keyFile}.${process.pid}.new`, [newKey()])
  linkSync(draft, keyFile)
  unlinkSync(draft)
  syncFolder(keyFile)
}

/** Puts a new key before the one in use; where a change is under way already, nothing. */
export function addKey(keyFile: string): void {
  const keys = readKeys(keyFile)
  if (keys?.length === 1) replace(keyFile, [newKey(), ...keys.map(({ key }) => key)])
}

/** Forgets all keys but the one in use. */
export function dropOldKeys(keyFile: string): void {
  const [current, ...old] = readKeys(keyFile) ?? []
  if (current && old.length > 0) replace(keyFile, [current.key])
}

/** Changes whenever the file is another one. */
export function stampOf(keyFile: string): string {
  if (!existsSync(keyFile)) return ''
  const { ino, mtimeMs, size } = statSync(keyFile)
  return `${ino} ${mtimeMs} ${size}`
}

/** When the file was written last, Unix ms. */
export const writtenMs = (keyFile: string): number => statSync(keyFile).mtimeMs

function replace(keyFile: string, keys: readonly Buffer[]): void {
  renameSync(writeAside(`${keyFile}.next`, keys), keyFile)
  syncFolder(keyFile)
}

function writeAside(draft: string, keys: readonly Buffer[]): string {
  writeFileSync(draft, keys.map(key => `${key.toString('base64')}\n`).join(''), { mode: 0o600, flush: true })
  return draft
}

function syncFolder(keyFile: string): void {
  const folder = openSync(dirname(keyFile), 'r')
  fsyncSync(folder)
  closeSync(folder)
}
