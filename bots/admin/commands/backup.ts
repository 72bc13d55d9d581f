import { asChanopError } from '../../../core/error.ts'
import { type MessageEvent, text } from '../../../core/event.ts'
import type { Stored } from '../../../core/ledger/record/events.ts'
import { loneRoom } from '../../../core/rooms.ts'
import { say } from '../../../core/say.ts'
import { type AdminServices, declare } from '../services.ts'

const backup = declare({
  name: 'backup',
  summary: 'saves all in one encrypted file on the host, and opens it again before it says so',
  role: 'owner',
  reply: 'private',
  mutates: true,
  examples: [['!backup', /^a backup is being made/, 'a backup is being made: what came of it is said here']],
  run: async ({ services, event }) => ({
    lines: [
      'a backup is being made: what came of it is said here; nothing comes if admin ends meanwhile, then say it again',
    ],
    committed: () => void make(services, event),
  }),
})

/** Longer than a command may take. */
async function make({ context, program }: AdminServices, asked: Stored<MessageEvent>): Promise<void> {
  const { ledger, log, signal, name: bot } = context
  const said = await program(['scripts/backup.ts'], signal).catch(
    (error: unknown) => `no backup was made: ${asChanopError(error).message}`,
  )
  if (signal.aborted) return
  const { place, sender } = asked.event
  const to = { in: loneRoom(place), ...(place.private ? {} : { only: sender.id, asideSeq: asked.seq }) }
  try {
    const content = text(said.trim())
    await ledger.write(tx => say(tx, { bot, content, ...to, key: `backup.${asked.seq}` }, Date.now()))
  } catch (error) {
    log.error({ error, said }, 'what came of a backup could not be said')
  }
}

export const backupCommands = [backup]
