import { z } from 'zod'
import { reference } from '../../core/config/fields.ts'

/** A chat server inside this process: for tests and for trying things out. Nothing of it outlives the process. */
export const memorySchema = z.strictObject({
  kind: z.literal('memory'),
  /** Networks that name the same server meet there. */
  server: z.string().min(1).default('memory'),
  /** Whether it counts as a server that we run: its accounts and channels are ours to keep. */
  managed: z.boolean().default(true),
  /** Our account on that server. */
  account: z.string().min(1).default('chanop'),
  /** What the server asks for at the login, as a reference. */
  token: reference.nullable().default(null),
  channels: z.array(z.string().regex(/^#\S{1,63}$/, 'write a channel name, e.g. #general')).default([]),
  /** UTF-8 bytes of one message; longer drafts become several. */
  textBytes: z.int().min(16).default(4000),
  /** Whether messages can be edited there. */
  edits: z.boolean().default(true),
  /** Whether what grows in a direct conversation is shown there before it is said. */
  streams: z.boolean().default(false),
  /** The largest file that can be uploaded, bytes; 0: none can. */
  fileBytes: z.int().min(0).default(10_000_000),
  threads: z.boolean().default(true),
  /** Whether something can be said in a channel so that one person alone sees it. */
  ephemeral: z.boolean().default(false),
  /** How long an answer of the server may take. */
  answerMs: z.int().min(1).default(10_000),
})
export type MemoryConfig = z.output<typeof memorySchema>
