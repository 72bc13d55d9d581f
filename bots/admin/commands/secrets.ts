import { z } from 'zod'
import { byOf } from '../../../core/command/command.ts'
import { ChanopError } from '../../../core/error.ts'
import { dropSecret, listSecrets } from '../../../core/ledger/settings/secrets.ts'
import { ago } from '../../../core/text/text.ts'
import { secretName, storeSecret } from '../../../core/vault/secrets.ts'
import { keyPrefix } from '../agents/engagement.ts'
import { declare } from '../services.ts'

/** What the admin keeps in the vault for itself: not for people to see, set or delete. */
const own = (name: string): boolean => name.startsWith(keyPrefix)

const name = z
  .string()
  .regex(secretName, 'write a name such as OPENAI_API_KEY')
  .refine(typed => !own(typed), 'that name is kept for our own keys')

const missing = (name: string): ChanopError =>
  new ChanopError('not-found', `there is no secret ${name}; !secret list shows them`)

const list = declare({
  name: 'secret list',
  aliases: ['secrets'],
  summary: 'names of the secrets in the vault; values are never shown',
  role: 'owner',
  reply: 'private',
  where: 'dm',
  examples: [['secret list', 'the vault is empty']],
  async run({ ledger, atMs }) {
    const all = (await ledger.read(listSecrets)).filter(secret => !own(secret.name))
    if (all.length === 0) return 'the vault is empty'
    return { lines: all.map(secret => `${secret.name} · set by ${secret.by} ${ago(secret.atMs, atMs)}`) }
  },
})

const set = declare({
  name: 'secret set',
  summary: 'puts a secret into the vault, for secret:NAME in the configuration',
  role: 'owner',
  reply: 'private',
  where: 'dm',
  mutates: true,
  args: z.object({ name, value: z.string().min(1).meta({ rest: true, secret: true }) }),
  examples: [
    [
      'secret set OPENAI_API_KEY sk-example',
      /^OPENAI_API_KEY is set/,
      'OPENAI_API_KEY is set; write secret:OPENAI_API_KEY where the configuration wants it, then !config reload',
    ],
  ],
  async run({ services, caller, atMs, settings }, { name, value }) {
    const { vault } = services.context
    if (vault.locked) throw new ChanopError('vault-locked', vault.locked)
    const by = byOf(caller)
    return {
      lines: [
        `${name} is set; write secret:${name} where the configuration wants it, then ${settings.prefix}config reload`,
      ],
      effect: db => storeSecret(db, vault, name, value, by, atMs),
    }
  },
})

const del = declare({
  name: 'secret del',
  summary: 'deletes a secret from the vault',
  role: 'owner',
  reply: 'private',
  where: 'dm',
  mutates: true,
  args: z.object({ name }),
  examples: [['secret del NOBODY', 'there is no secret NOBODY; !secret list shows them']],
  confirm: async ({ name }, { ledger }) => {
    const known = (await ledger.read(listSecrets)).some(secret => secret.name === name)
    if (!known) throw missing(name)
    return `deletes ${name}: what refers to it stops working`
  },
  run: async (_context, { name }) => ({
    lines: [`${name} is deleted`],
    effect: db => {
      if (!dropSecret(db, name)) throw missing(name)
    },
  }),
})

const rotate = declare({
  name: 'secret rotate-key',
  summary: 'gives the vault a new key and seals everything in it anew',
  role: 'owner',
  reply: 'private',
  where: 'dm',
  mutates: true,
  examples: [
    [
      'secret rotate-key',
      /^the vault has a new key; \d+ box(es)? (is|are) sealed anew/,
      'the vault has a new key; 12 boxes are sealed anew, the old key is thrown away in a minute · make a backup: older ones open with the older key alone',
    ],
  ],
  async run({ services }) {
    const { vault } = services.context
    vault.beginChange()
    return {
      effect: db => {
        const { count: boxes, damaged } = vault.sealAnew(db)
        const sealed = `${boxes} box${boxes === 1 ? ' is' : 'es are'} sealed anew`
        const lost = damaged.length === 0 ? '' : ` · could not be opened, set them anew: ${damaged.join(', ')}`
        return [
          `the vault has a new key; ${sealed}, the old key is thrown away in a minute${lost} · make a backup: older ones open with the older key alone`,
        ]
      },
    }
  },
})

export const secretCommands = [list, set, del, rotate]
