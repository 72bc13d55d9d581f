import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Places } from '../../scripts/programs/places.ts'
import { openAiPython } from './programs.ts'
import { eventually, type Rig } from './rig.ts'

const script = join(import.meta.dirname, 'openai_client.py')

/** OpenAI's package for Python: what it is told to do stands in `openai_client.py`. */
export async function pythonClient(rig: Rig, places: Places): Promise<void> {
  const python = await openAiPython(places)
  const key = await rig.world.key('alice')
  const child = spawn(python, [script, `${rig.world.url}/v1`, key], { stdio: 'inherit', timeout: 120_000 })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`openai_client.py ended with ${code}`)
  await eventually('the stopped streams to end at the service', () => rig.hungUp() === 2)
}
