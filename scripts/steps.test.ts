import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { it } from 'node:test'

const program = `
  import { line, script } from '${join(import.meta.dirname, 'steps.ts')}'
  await script(async () => {
    process.stdin.resume()
    await new Promise(resolve => process.stdin.once('end', resolve))
    for (let n = 0; n < 3; n++) {
      line(true, 'step', '0 s', '')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    console.error('done')
    return 3
  })
`

it('goes on when nobody reads what it prints', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'pipe' })
  child.stdout.destroy()
  child.stdin.end()
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  assert.deepEqual([said, code], ['done\n', 3])
})
