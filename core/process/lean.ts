/**
 * Loaded before a bot's own code (`node --import`): keeps out what a package loads and we never use. zod brings its messages in
 * fifty languages, each a file that is read and compiled: 9 MB of a process, and a tenth of its start. English is apart.
 */
import { registerHooks } from 'node:module'
import { isMainThread } from 'node:worker_threads'
import { interpretOnly } from './compilers.ts'

const nothing = 'data:text/javascript,export {}'

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '../locales/index.js' && context.parentURL?.includes('/node_modules/zod/')
      ? { url: nothing, shortCircuit: true }
      : next(specifier, context),
})

// The flags are those of the whole process: a thread that begins later changes nothing.
if (isMainThread) interpretOnly()
