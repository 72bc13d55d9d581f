/** `npm run test:clients`: programs that others make, unchanged, against a Chanop; `-- python`, `webui` or `mcp` for one of them. */
import { instanceOf } from '../../scripts/instance.ts'
import { placesOf } from '../../scripts/programs/places.ts'
import { script } from '../../scripts/steps.ts'
import { mcpClients } from './mcp.ts'
import { pythonClient } from './python.ts'
import { openRig, type Rig } from './rig.ts'
import { webUi } from './webui.ts'

const clients = { python: pythonClient, webui: webUi, mcp: mcpClients }

async function tried(work: (rig: Rig) => Promise<void>): Promise<void> {
  const rig = await openRig()
  try {
    await work(rig)
  } finally {
    await rig.close()
  }
}

async function main(): Promise<number> {
  const wanted = process.argv.slice(2)
  const strange = wanted.find(name => !Object.hasOwn(clients, name))
  if (strange !== undefined) {
    console.error(`there is no client ${strange}: ${Object.keys(clients).join(', ')}`)
    return 1
  }
  const { paths, env } = instanceOf()
  const places = await placesOf(paths, env)
  const chosen = Object.entries(clients).filter(([name]) => wanted.length === 0 || wanted.includes(name))
  for (const [, client] of chosen) await tried(rig => client(rig, places))
  return 0
}

await script(main)
