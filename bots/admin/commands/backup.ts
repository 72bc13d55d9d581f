import { sayLater } from '../../../core/command/visit/later.ts'
import { asChanopError } from '../../../core/error.ts'
import { escapeInline } from '../../../core/text/text.ts'
import { type Context, declare } from '../services.ts'

const backup = declare({
  name: 'backup',
  summary: 'saves all in one encrypted file on the host, and opens it again before it says so',
  role: 'owner',
  reply: 'private',
  mutates: true,
  examples: [['!backup', /^a backup is being made/, 'a backup is being made: what came of it is said here']],
  run: async context => ({
    lines: [
      'a backup is being made: what came of it is said here; nothing comes if admin ends meanwhile, then say it again',
    ],
    committed: () => void make(context),
  }),
})

/** Longer than a command may take. */
async function make(context: Context): Promise<void> {
  const { context: bot, program } = context.services
  const said = await program(['scripts/backup.ts'], bot.signal).catch(
    (error: unknown) => `no backup was made: ${asChanopError(error).message}`,
  )
  if (bot.signal.aborted) return
  const lines = [escapeInline(said.trim())]
  await sayLater({ bot, context, reply: 'private' }, { lines }).catch((error: unknown) => {
    bot.log.error({ error, said }, 'what came of a backup could not be said')
  })
}

export const backupCommands = [backup]
