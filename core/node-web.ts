import type Web from 'node:http'
import type WebTls from 'node:https'

/**
 * Node's own client and server of the web, for what a bot has loaded while it is idle. `import … from 'node:http'` reads every export
 * of that module, and one of them, WebSocket, is undici as a whole: 13 MB of a process that does not use it. `fetch` loads it too,
 * at its first use.
 */
export const web = (): typeof Web => process.getBuiltinModule('node:http')
export const webTls = (): typeof WebTls => process.getBuiltinModule('node:https')
