import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'node:test'

const run = (work: string, level: string): Record<string, unknown>[] => {
  const module = JSON.stringify(join(import.meta.dirname, 'log.ts'))
  const program = `const { createLog } = await import(${module}); const log = createLog('tester'); ${work}`
  const env = { ...process.env, CHANOP_LOG: level }
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { env, encoding: 'utf8' })
  return stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Record<string, unknown>)
}

it('one JSON line a record, with the bot, and no secret in a field of that name', () => {
  const [line] = run(
    `log.child({ network: 'irc' }).info({ password: 'hunter2', sasl: { password: 'hunter2', token: 'hunter2' } }, 'hello')`,
    'info',
  )
  assert.deepEqual([line?.['bot'], line?.['network'], line?.['msg']], ['tester', 'irc', 'hello'])
  assert.doesNotMatch(JSON.stringify(line), /hunter2/)
})

it('an error keeps its stack and its cause', () => {
  const [line] = run(`log.error({ error: new Error('outer', { cause: new Error('inner') }) }, 'failed')`, 'info')
  assert.match(JSON.stringify(line?.['error']), /outer.*inner/)
})

it('a level that does not exist is info', () => {
  assert.equal(run(`log.info('a'); log.debug('b')`, 'loud').length, 1)
  assert.equal(run(`log.info('a'); log.debug('b')`, 'silent').length, 0)
  assert.equal(run(`log.info('a'); log.debug('b')`, 'debug').length, 2)
})
