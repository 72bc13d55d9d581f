import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as Jose from 'jose'
import type { JWK } from 'jose'
import { z } from 'zod'
import { ChanopError } from '../../../core/error.ts'
import type { Agent } from '../../../core/ledger/agents/agents.ts'
import { serialOf } from '../../../core/ledger/people/serials.ts'
import { listSecrets } from '../../../core/ledger/settings/secrets.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { BotContext } from '../../../core/process/bot.ts'
import { lazily } from '../../../core/process/lazily.ts'
import { resolveSecret, storeSecret } from '../../../core/vault/secrets.ts'

const jose = lazily<typeof Jose>('jose')

/**
 * What an agent may do, as signed: a compact JWS (RFC 7515) with Ed25519 (RFC 8037, `alg` EdDSA). Times are seconds, as
 * in RFC 7519. It holds until `exp`, 30 days at most, unless its serial `jti` was revoked; one whose agent stays is renewed.
 */
const engagement = z.object({
  v: z.literal(2),
  /** Account and nick. */
  nick: z.string(),
  /** The instance that signed it. */
  iss: z.string(),
  /** The network it holds on. */
  aud: z.string(),
  /** Its serial: `data/agents/revoked.json` names those that were taken back. */
  jti: z.string(),
  type: z.string(),
  channels: z.array(z.string()),
  permissions: z.array(z.string()),
  rate: z.object({ count: z.number(), perMs: z.number() }),
  groups: z.array(z.string()),
  iat: z.number(),
  exp: z.number(),
  kid: z.string(),
})
export type Engagement = z.output<typeof engagement>

export interface KeySet {
  readonly keys: readonly JWK[]
}

/** What else a verifier knows: the network it stands for, and serials that were revoked. */
export interface Expected {
  readonly audience?: string
  readonly revoked?: ReadonlySet<string>
}

/** Of the names under which the keys are in the vault. */
export const keyPrefix = 'engagement.'
const alg = 'EdDSA'
const wrong = (why: string): ChanopError => new ChanopError('denied', `this engagement counts for nothing: ${why}`)

/** What a compact JWS says, if one of `keys` signed it and it holds at `nowMs`. Throws `denied` with why it does not. */
export async function verifyEngagement(
  jws: string,
  keys: KeySet,
  nowMs: number,
  expected: Expected = {},
): Promise<Engagement> {
  const kid = kidOf(jws)
  const key = keys.keys.find(each => each.kid === kid)
  if (!key) throw wrong(`no key ${kid} is known`)
  const { compactVerify, importJWK } = jose()
  const { payload } = await compactVerify(jws, await importJWK(key, alg), { algorithms: [alg] }).catch(() => {
    throw wrong('it was changed, or another key signed it')
  })
  const said = engagement.safeParse(JSON.parse(new TextDecoder().decode(payload)))
  if (!said.success || said.data.kid !== kid) throw wrong('it is of another kind')
  if (said.data.exp * 1000 <= nowMs) throw wrong('its time is over')
  if (expected.audience !== undefined && said.data.aud !== expected.audience) throw wrong('it is for another network')
  if (expected.revoked?.has(said.data.jti)) throw wrong('it was revoked')
  return said.data
}

function kidOf(jws: string): string {
  try {
    const { kid } = jose().decodeProtectedHeader(jws)
    if (kid) return kid
  } catch (error) {
    throw new ChanopError('denied', 'this is no engagement', { cause: error })
  }
  throw wrong('it names no key')
}

const longestMs = 30 * 86_400_000
/** So long before its end an engagement is renewed. */
const renewMs = 10 * 86_400_000

/** Whether the engagement of an agent ends soon although the agent stays. */
export function endsSoon({ engagement: jws, expiresMs }: Agent, nowMs: number): boolean {
  const serial = serialOf(jws)
  if (!serial) return true
  const stays = expiresMs === null || Math.floor(expiresMs / 1000) * 1000 > serial.untilMs
  return stays && serial.untilMs - nowMs < renewMs
}

/** Only what others need. */
const publicPart = ({ kty, crv, x, kid }: JWK): JWK => ({ kty, crv, x, kid, alg, use: 'sig' }) as JWK

/** Signs engagements with the newest key of the vault; older ones stay known, so that what they signed can be verified. */
export class Signer {
  readonly #context: BotContext
  readonly #keys: readonly JWK[]

  private constructor(context: BotContext, keys: readonly JWK[]) {
    this.#context = context
    this.#keys = keys
  }

  /** Reads the keys, or makes the first, and leaves the public parts in `data/agents/keys.json`. */
  static async open(context: BotContext): Promise<Signer> {
    if (context.vault.locked) return new Signer(context, [])
    if ((await context.ledger.read(namesOfKeys)).length === 0) await Signer.#makeKey(context)
    const keys = await context.ledger.read(db => {
      const { vault } = context
      const names = namesOfKeys(db).toSorted((a, b) => b.atMs - a.atMs)
      return names.map(({ name }) => JSON.parse(resolveSecret(db, vault, `secret:${name}`, {})) as JWK)
    })
    const signer = new Signer(context, keys)
    try {
      publish(context.dataDir, 'keys.json', signer.publicKeys)
    } catch (error) {
      context.log.error({ error }, `the public keys could not be left in ${agentsFolder(context.dataDir)}: make room`)
    }
    return signer
  }

  static async #makeKey({ ledger, vault }: BotContext): Promise<void> {
    const made = await newKey()
    await ledger.write(db =>
      storeSecret(db, vault, `${keyPrefix}${made.kid}`, JSON.stringify(made), 'admin', Date.now()),
    )
  }

  get publicKeys(): KeySet {
    return { keys: this.#keys.map(publicPart) }
  }

  /** Throws `vault-locked`. */
  async sign(agent: Omit<Agent, 'engagement'>, groups: readonly string[], nowMs: number): Promise<string> {
    const key = this.#keys[0]
    if (!key) throw new ChanopError('vault-locked', this.#context.vault.locked ?? 'the vault is locked')
    const kid = key.kid as string
    const payload: Engagement = {
      v: 2,
      nick: agent.name,
      iss: this.#context.instance,
      aud: agent.network,
      jti: randomUUID(),
      type: agent.type,
      channels: [...agent.channels],
      permissions: [...agent.permissions],
      rate: agent.rate,
      groups: [...groups],
      iat: Math.floor(nowMs / 1000),
      exp: Math.floor(Math.min(nowMs + longestMs, agent.expiresMs ?? Number.POSITIVE_INFINITY) / 1000),
      kid,
    }
    const bytes = new TextEncoder().encode(JSON.stringify(payload))
    const { CompactSign, importJWK } = jose()
    return new CompactSign(bytes).setProtectedHeader({ alg, kid }).sign(await importJWK(key, alg))
  }
}

const namesOfKeys = (tx: Tx) => listSecrets(tx).filter(({ name }) => name.startsWith(keyPrefix))

async function newKey(): Promise<JWK> {
  const { calculateJwkThumbprint, exportJWK, generateKeyPair } = jose()
  const { privateKey } = await generateKeyPair(alg, { crv: 'Ed25519', extractable: true })
  const key = await exportJWK(privateKey)
  return { ...key, kid: (await calculateJwkThumbprint(key)).replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 8) }
}

export const agentsFolder = (dataDir: string): string => join(dataDir, 'agents')

/** Leaves a file for whoever verifies engagements. */
export function publish(dataDir: string, name: string, content: object): void {
  const file = join(agentsFolder(dataDir), name)
  const now = `${JSON.stringify(content, null, 2)}\n`
  // A start that changes nothing writes nothing: it works on a full disk too.
  if (existsSync(file) && readFileSync(file, 'utf8') === now) return
  mkdirSync(agentsFolder(dataDir), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, now, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
