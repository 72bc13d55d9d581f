import type { MessageId } from '../../core/event.ts'

/** What is out of a delivery, and which step nobody knows of. */
export interface Progress {
  readonly ids: MessageId[]
  /** Those that are done, and all there are. */
  step: number
  steps: number
  /** The answer to the next step was lost. */
  doubtful?: boolean
  /** The next step is not tried before, Unix ms. */
  againMs?: number
  /** The step that says that it may be a repeat. */
  labelled?: number
  /** Its files are said as words, behind all others. */
  named?: true
}
