import { z } from 'zod'
import { changes } from '../../../core/command/command.ts'
import { ChanopError } from '../../../core/error.ts'
import { networkStatuses } from '../../../core/ledger/settings/networks.ts'
import { escapeInline } from '../../../core/text/text.ts'
import { declare } from '../services.ts'
import { managed } from './people.ts'

const unlock = declare({
  name: 'unlock',
  summary: 'lifts what wrong passwords for an account, or from an address, locked',
  ...changes('operator'),
  args: z.object({ what: z.string().max(64).describe('an account, or an address') }),
  examples: [['!unlock nobody', 'no login of nobody is locked']],
  async run(context, { what }) {
    const { ledger, atMs, event } = context
    const network = managed(context)
    const statuses = await ledger.read(networkStatuses)
    const locks = statuses.find(status => status.network === network)?.locks ?? []
    const name = what.toLowerCase()
    const isMeant = locks.some(
      lock => lock.untilMs > atMs && (lock.account === name || lock.address.toLowerCase() === name),
    )
    if (!isMeant) throw new ChanopError('not-found', `no login of ${what} is locked`)
    return {
      orders: [
        {
          order: { key: `unlock.${event.seq}`, network, kind: 'account.unlock', args: { what } },
          done: `${escapeInline(what)}: {reason}`,
          failed: `${escapeInline(what)} stays locked: {reason}`,
        },
      ],
    }
  },
})

export const unlockCommands = [unlock]
