import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandOf, Refusal, Replies, type Reply } from './resp.ts'

test('a command is an array of strings, with their lengths in bytes', () =>
  assert.equal(commandOf(['PUBLISH', 'a', 'é\r\n']), '*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n$4\r\né\r\n\r\n'))

const wire =
  '+OK\r\n:12\r\n$-1\r\n$5\r\na\r\né\r\n*-1\r\n*0\r\n*3\r\n$8\r\npmessage\r\n*2\r\n:1\r\n+x\r\n$0\r\n\r\n-NOAUTH no\r\n'
const meant: Reply[] = ['OK', 12, null, 'a\r\né', null, [], ['pmessage', [1, 'x'], ''], new Refusal('NOAUTH no')]

test('replies are read whole, wherever the bytes are cut', () => {
  const bytes = Buffer.from(wire)
  for (let size = 1; size <= bytes.length; size++) {
    const replies = new Replies()
    const read: Reply[] = []
    for (let at = 0; at < bytes.length; at += size) read.push(...replies.push(bytes.subarray(at, at + size)))
    assert.deepEqual(read, meant, `in pieces of ${size}`)
  }
})

test('what is no reply is refused', () => {
  assert.throws(() => new Replies().push(Buffer.from('HTTP/1.1 400 Bad Request\r\n')), /not Redis/)
})
