import type { FastifyInstance } from 'fastify'
import { Problem } from './problem.ts'

/** What is nested deeper is nothing that a program means: much that reads it would run out of stack. */
const mostDeep = 200

const quote = 34
const opens = new Set([91, 123])
const closes = new Set([93, 125])

/** Where the string ends that begins at a quote; -1: nowhere. */
function endOfString(json: string, from: number): number {
  for (let at = json.indexOf('"', from + 1); at !== -1; at = json.indexOf('"', at + 1)) {
    let slashes = 0
    while (json[at - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return at
  }
  return -1
}

function isTooDeep(json: string): boolean {
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const char = json.charCodeAt(at)
    if (char === quote) {
      at = endOfString(json, at)
      if (at === -1) return false
    } else if (opens.has(char)) {
      if (++depth > mostDeep) return true
    } else if (closes.has(char)) depth--
  }
  return false
}

/** Reads JSON, of a depth that everything behind it bears, and nothing else. */
export function readJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (isTooDeep(body)) done(new Problem(400, 'bad-request', `nested deeper than ${mostDeep} levels`))
    else void parse(request, body, done)
  })
}
