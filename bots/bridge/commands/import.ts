import { z } from 'zod'
import { ChanopError } from '../../../core/error.ts'
import type { Attachment, NetworkId } from '../../../core/event.ts'
import { escapeInline, size } from '../../../core/text/text.ts'
import { importLines, importOf, keepImport } from '../import/apply.ts'
import { type BridgeServices, declare } from '../services.ts'

const mostBytes = 1_000_000
const onHost = 'on the host: npm run import -- matterbridge FILE'

/** The file, read and not kept: it holds tokens. */
async function contents(
  { bridge }: BridgeServices,
  network: NetworkId,
  file: Attachment,
  signal: AbortSignal,
): Promise<string> {
  const adapter = bridge.connections.adapters.get(network)
  if (!adapter?.open) throw new ChanopError('unsupported', `files can't be had from ${network}; ${onHost}`)
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of await adapter.open(file, signal)) {
    bytes += piece.length
    if (bytes > mostBytes)
      throw new ChanopError('usage', `${file.name} is larger than ${size(mostBytes)}: is it a matterbridge.toml?`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

const matterbridge = declare({
  name: 'import matterbridge',
  summary: 'networks and rooms from the matterbridge.toml that is attached; says what could not be taken over',
  role: 'owner',
  reply: 'private',
  where: 'dm',
  mutates: true,
  args: z.object({
    file: z.string().optional().meta({ rest: true }).describe('attach it; its name alone is not enough'),
  }),
  examples: [
    [
      '!import matterbridge',
      'attach the file to this very message, or on the host: npm run import -- matterbridge FILE',
    ],
  ],
  async run({ services, caller, event, atMs, signal }) {
    const { settings, vault, bus } = services.bridge.context
    const [file] = event.event.content.attachments ?? []
    if (!file) throw new ChanopError('usage', `attach the file to this very message, or ${onHost}`)
    const read = importOf(settings, await contents(services, caller.network, file, signal))
    const by = caller.person?.name ?? caller.account
    return {
      lines: importLines(read).map(escapeInline),
      effect: db => keepImport(db, vault, read, by, atMs),
      committed: async () => {
        await settings.reload()
        bus.signal('settings', { by })
      },
    }
  },
})

export const importCommands = [matterbridge]
