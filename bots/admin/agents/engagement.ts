import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type * as Jose from 'jose'
import type { JWK } from 'jose'
import { ChanopError } from '../../../core/error.ts'
import { makeFolder, writeIfChanged } from '../../../core/files.ts'
import type { Agent, Rate } from '../../../core/ledger/agents/agents.ts'
import { serialOf } from '../../../core/ledger/people/serials.ts'
import { listSecrets } from '../../../core/ledger/settings/secrets.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { BotContext } from '../../../core/process/bot.ts'
import { lazily } from '../../../core/process/lazily.ts'
import { dayMs } from '../../../core/text/text.ts'
import { resolveSecret, storeSecret } from '../../../core/vault/secrets.ts'

const jose = lazily<typeof Jose>('jose')

/**
 * What an agent may do, as signed: a compact JWS (RFC 7515) with Ed25519 (RFC 8037, `alg` EdDSA). Times are seconds, as
 * in RFC 7519. It holds until `exp`, 30 days at most, unless its serial `jti` was revoked; one whose agent stays is renewed.
 */
export interface Engagement {
  readonly v: 2
  /** Account and nick. */
  readonly nick: string
  /** The instance that signed it. */
  readonly iss: string
  /** The network it holds on. */
  readonly aud: string
  /** Its serial: `data/agents/revoked.json` names those that were taken back. */
  readonly jti: string
  readonly type: string
  readonly channels: readonly string[]
  readonly permissions: readonly string[]
  readonly rate: Rate
  readonly groups: readonly string[]
  readonly iat: number
  readonly exp: number
  readonly kid: string
}

export interface KeySet {
  readonly keys: readonly JWK[]
}

/** Of the names under which the keys are in the vault. */
export const keyPrefix = 'engagement.'
const alg = 'EdDSA'

const longestMs = 30 * dayMs
/** So long before its end an engagement is renewed. */
const renewMs = 10 * dayMs

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
      await publish(context.dataDir, 'keys.json', signer.publicKeys)
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
      channels: agent.channels,
      permissions: agent.permissions,
      rate: agent.rate,
      groups,
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

/** Leaves a file for whoever verifies engagements. A start that changes nothing writes nothing: it works on a full disk too. */
export async function publish(dataDir: string, name: string, content: object): Promise<void> {
  await makeFolder(agentsFolder(dataDir))
  await writeIfChanged(join(agentsFolder(dataDir), name), `${JSON.stringify(content, null, 2)}\n`)
}
