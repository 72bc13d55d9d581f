import type * as Yaml from 'yaml'
import type { Document, LineCounter, YAMLError } from 'yaml'
import { lazily } from '../process/lazily.ts'
import type { Fault } from './fault.ts'

export const yaml = lazily<typeof Yaml>('yaml')

/** A value as people type it: YAML, so that numbers, lists and null mean themselves; what is none is text. */
export function typedValue(typed: string): unknown {
  try {
    return yaml().parse(typed)
  } catch (error) {
    if (error instanceof Error) return typed
    throw error
  }
}

/** What is wrong with a text that is no YAML, in our own words: the library's quote the text, which may hold a secret. */
export class YamlFault extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

const words: Partial<Record<YAMLError['code'], string>> = {
  TAB_AS_INDENT: 'a tab stands where only spaces may: indent with spaces',
  BAD_INDENT: 'the indentation does not fit, or a bracket is not closed before here',
  MISSING_CHAR: 'a quote, bracket or comma is missing, or a value with # or : in it stands without quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a value with a colon and a space in it must stand in quotes',
  MULTIPLE_DOCS: 'a second document begins here: one file, one document',
  TAG_RESOLVE_FAILED: 'a value that begins with ! must stand in quotes',
  BAD_ALIAS: 'a value that begins with * must stand in quotes',
  BAD_DQ_ESCAPE: "a \\ within double quotes begins an escape that does not exist: write it in single quotes ''",
}

function told(error: YAMLError, source: string): string {
  if (error.code === 'DUPLICATE_KEY') {
    const key = source.slice(error.pos[0]).match(/^[\w.-]{1,64}/)?.[0]
    return `the key ${key ? `'${key}' ` : ''}stands twice in the same map: remove one`
  }
  return `not YAML: ${words[error.code] ?? 'something stands where it can not: check quotes, brackets and indentation'}`
}

/** Line of a fault in the file, counted from 1: of its key, else of the nearest key around it. */
function lineOf(document: Document, lines: LineCounter, fault: Fault): number {
  const { isMap, isNode, isScalar, isSeq } = yaml()
  const path = fault.key === undefined ? [...fault.path] : [...fault.path, fault.key]
  for (; path.length > 0; path.pop()) {
    const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
    const wanted = path.at(-1)
    const node = isMap(parent)
      ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(wanted))?.key
      : isSeq(parent) && parent.items[Number(wanted)]
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
  }
  return 1
}

/** The value of a YAML text, and where in it a fault stands. Throws `YamlFault`. */
export function parseYaml(source: string): { value: unknown; lineOf: (fault: Fault) => number } {
  const { LineCounter, parseDocument, visit } = yaml()
  const lines = new LineCounter()
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: true, logLevel: 'error' })
  const lineAt = (offset: number): number => lines.linePos(offset).line || 1
  const broken = document.errors[0] ?? document.warnings[0]
  if (broken) throw new YamlFault(lineAt(broken.pos[0]), told(broken, source))
  visit(document, {
    Alias: (_, node) => {
      if (!node.resolve(document)) throw new YamlFault(lineAt(node.range?.[0] ?? 0), `not YAML: ${words.BAD_ALIAS}`)
    },
  })
  try {
    return { value: document.toJS() ?? {}, lineOf: fault => lineOf(document, lines, fault) }
  } catch {
    throw new YamlFault(1, 'not YAML: aliases (*name) of aliases grow without end: write the values out')
  }
}
