import { agents } from './migrations/agents.ts'
import { apiKeys } from './migrations/api-keys.ts'
import { askedAgain } from './migrations/asked-again.ts'
import { auditRuns } from './migrations/audit-runs.ts'
import { certificates } from './migrations/certificates.ts'
import { completions } from './migrations/completions.ts'
import { ends } from './migrations/ends.ts'
import { hooks } from './migrations/hooks.ts'
import { media } from './migrations/media.ts'
import { mediaLinks } from './migrations/media-links.ts'
import { networkDrafts } from './migrations/network-drafts.ts'
import { parked } from './migrations/parked.ts'
import { personIds } from './migrations/person-ids.ts'
import { prompts } from './migrations/prompts.ts'
import { retention } from './migrations/retention.ts'
import { rights } from './migrations/rights.ts'
import { serials } from './migrations/serials.ts'
import { spend } from './migrations/spend.ts'
import { spine } from './migrations/spine.ts'
import { staleSummaries } from './migrations/stale-summaries.ts'
import { threads } from './migrations/threads.ts'
import { timedRoles } from './migrations/timed-roles.ts'
import { turns } from './migrations/turns.ts'

/**
 * The ledger's schema as append-only migrations, oldest first. Each runs in one transaction and raises `user_version` by
 * one; a released one is never edited. Times are Unix milliseconds, booleans 0 or 1.
 */
export const migrations: readonly string[] = [
  spine,
  agents,
  turns,
  spend,
  threads,
  media,
  prompts,
  timedRoles,
  certificates,
  retention,
  auditRuns,
  ends,
  serials,
  apiKeys,
  parked,
  networkDrafts,
  completions,
  mediaLinks,
  hooks,
  rights,
  askedAgain,
  personIds,
  staleSummaries,
]
