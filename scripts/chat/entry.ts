/** One thing that a window shows. */
export interface Entry {
  /** The server's msgid; null where it gives none. */
  readonly id: string | null
  readonly atMs: number
  readonly kind: 'message' | 'action' | 'notice' | 'info' | 'error'
  /** Nick; empty for our own remarks. */
  readonly from: string
  /** May hold newlines and IRC formatting; cleaned where it is printed. */
  readonly text: string
  readonly own: boolean
  /** From history. */
  readonly past: boolean
}

/** A remark of this client or of the server. */
export const remark = (text: string, kind: 'info' | 'error' = 'info', atMs = Date.now()): Entry => ({
  id: null,
  atMs,
  kind,
  from: '',
  text,
  own: false,
  past: false,
})
