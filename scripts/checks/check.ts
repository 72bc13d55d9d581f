import { ChanopError } from '../../core/error.ts'

/** What one check found; `npm start` stops at the first that is not `ok`, `npm run doctor` shows them all. */
export interface Finding {
  readonly name: string
  readonly ok: boolean
  /** What is there, or what is wrong. */
  readonly detail: string
  /** What to do about it, where `detail` does not say so already. */
  readonly fix?: string
}

export const good = (name: string, detail: string): Finding => ({ name, ok: true, detail })
/** Nothing is wrong; there is more to be had. */
export const hint = (name: string, detail: string, fix: string): Finding => ({ name, ok: true, detail, fix })
export const bad = (name: string, detail: string, fix: string): Finding => ({ name, ok: false, detail, fix })

/** Hands a good finding on; throws `setup-failed` for a bad one. */
export function demand(finding: Finding): Finding {
  demandAll([finding])
  return finding
}

/** Throws `setup-failed` that names all the bad ones. */
export function demandAll(findings: readonly Finding[]): void {
  const wrong = findings.filter(({ ok }) => !ok).map(({ detail, fix }) => (fix ? `${detail}: ${fix}` : detail))
  if (wrong.length > 0) throw new ChanopError('setup-failed', wrong.join('; '))
}

/** Runs a check that may throw: its message, which says what to do, is the finding. */
export async function attempt<F extends Finding | Finding[]>(
  name: string,
  check: () => Promise<F> | F,
): Promise<F | Finding> {
  try {
    return await check()
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) }
  }
}
