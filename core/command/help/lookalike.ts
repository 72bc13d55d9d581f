import { nearest } from '../../text/nearest.ts'

export interface Lookalikes {
  /** Commands that take a secret, of two words. */
  readonly names: readonly string[]
  /** Whether these words are a command as they stand. */
  readonly known: (name: string) => boolean
  /** Said in a direct conversation. */
  readonly direct: boolean
}

interface Like {
  /** The message with what may be secret left out. */
  readonly words: string
  readonly meant: string
}

/** What a network's services take: passwords, said where everybody reads. */
const services =
  /^\s*(?:[/!.]\s*)?(?:(?:msg|query|quote|raw|privmsg|squery)\s+)?(?:nickserv|chanserv|authserv|saslserv|userserv|operserv|ns|os|q(?=@))(?:@\S{1,64})?\s*(?:[:,]\s*)?:?(?:identify|id|login|auth|register|ghost|recover|release|regain|set\s+pass\w{0,8})\s+\S/i
/** The same without their name: `identify hunter2`, `/identify me word`; not `identify the problem`. */
const identify = /^\s*(?:[/!.]\s*identify\s+\S|identify\s+[^\s\d]*\d\S*\s*$)/i

const names = /^(?:\s*(?:\[[^\]\n]{1,64}\]|<[^>\n]{1,64}>|\([^)\n]{1,64}\)))+/
/** What a client was to do, and said instead: a blank stood before the slash, or none. */
const client =
  /^\s*(?:[/!.]\s*)?(?:(?:quote|raw)\s+)?(?:msg|m|query|q|privmsg|notice|whisper|w|tell|dm)\s+@?(?:admin|bridge|oracle|scribe)(?=[\s:,])[:,]*\s*:?/i
/** What a client tells its server to come in. */
const entering = /^\s*\/\s*(?:(?:quote|raw)\s+)?(?:oper\s+\S+\s+\S|pass\s+\S+\s*$)/i
const polite = /^\s*(?:hey|hi|hello|please|pls|ok|so|dear)[\s,!]+(?=@?(?:admin|bridge|oracle|scribe)[\s:,])/i
const bot = /^\s*@?(?:admin|bridge|oracle|scribe)(?=[\s:,])[:,]*\s*/i
const sign = /^\s*(?:[^\p{L}\p{N}\s]\s*)+/u
/** Words before a command that do not make it talk. */
const before = new Set(['help', 'man', 'usage', 'please', 'pls', 'hey', 'h', 'find', 'cmd', 'run', 'do', 'command'])

/** Whether a message looks like a command that takes a secret, however it is misspelt or addressed. Its lines count one by one. */
export function resembles(text: string, options: Lookalikes): Like | null {
  const lines = text.split('\n')
  for (const [at, line] of lines.entries()) {
    const login = services.test(line) || identify.test(line) || entering.test(line)
    const meant = login ? 'identify' : commandIn(line, options)
    if (meant === null) continue
    const kept = lines.slice(0, at).join('\n')
    return { words: `${kept}${kept === '' ? '' : '\n'}${meant} ***`, meant }
  }
  return null
}

interface Line {
  readonly words: readonly string[]
  /** Certainly meant as a command. */
  readonly called: boolean
}

/** The first words, without prefix, address and a relay's names. */
function wordsOf(line: string): Line {
  let rest = line.slice(0, 400).replace(names, '')
  let called = rest !== line.slice(0, 400)
  for (let round = 0; round < 3; round++) {
    const stripped = rest.replace(client, '').replace(polite, '').replace(bot, '').replace(sign, '')
    if (stripped === rest) break
    called = true
    rest = stripped
  }
  return { words: rest.split(/\s+/).filter(word => word !== ''), called }
}

const bare = (word: string): string => word.toLowerCase().replace(/^[^a-z]+|[^a-z]+$/g, '')

function commandIn(line: string, { names: wanted, known, direct }: Lookalikes): string | null {
  const { words, called } = wordsOf(line)
  for (let from = 0; from < Math.min(3, words.length - 1); from++) {
    const rest = words.slice(from)
    // Most of what is said is talk, whatever its words resemble: that is known at once.
    const found = called || plausible(rest, direct, true) ? at(rest, wanted, known) : null
    if (found && (called || plausible(rest, direct, found.exact))) return found.name
    if (!before.has(bare(words[from] as string))) break
  }
  return quotedIn(words, wanted)
}

const mostWords = 60

/** A command as it stands, with a value that is none of talk's, behind whatever other words: `say that: !secret set E x`. */
function quotedIn(words: readonly string[], wanted: Lookalikes['names']): string | null {
  for (let from = 1; from < Math.min(mostWords, words.length - 2); from++) {
    const [noun = '', verb = '', value = ''] = [words[from], words[from + 1], words[from + 3]]
    // `!secret set NAME VALUE` is how it is explained.
    const given = isOpaque(value) || (/^[^\p{L}\p{N}<("']/u.test(noun) && /[a-z0-9]/.test(value))
    if (!given) continue
    const name = `${bare(noun)} ${bare(verb)}`
    if (wanted.includes(name) && plausible(words.slice(from), false, true)) return name
  }
  return null
}

interface Found {
  readonly name: string
  readonly exact: boolean
}

/** The command that words begin with, when more follows: `secert set E x`, `set secret E x`, `secret-set E x`. */
function at(words: readonly string[], wanted: readonly string[], known: Lookalikes['known']): Found | null {
  const [first = '', second = ''] = words.map(bare)
  if (words.length > 2) {
    const exact = wanted.find(name => name === `${first} ${second}`)
    if (exact) return { name: exact, exact: true }
    if (known(`${first} ${second}`)) return null
    for (const name of wanted) {
      const [noun = '', verb = ''] = name.split(' ')
      if (both(first, second, noun, verb) || both(second, first, noun, verb)) return { name, exact: false }
      if (words.length > 3 && first === noun && bare(words[2] as string) === verb) return { name, exact: false }
    }
  }
  const joined = first.replace(/[^a-z]/g, '')
  if (known(first)) return null
  const whole = wanted.find(
    name => joined.length > 5 && near(joined, name.replace(' ', '')) !== null && joined.length >= name.length - 2,
  )
  return whole === undefined ? null : { name: whole, exact: false }
}

const near = (typed: string, word: string): string | null => nearest(typed, [word])

const both = (one: string, other: string, noun: string, verb: string): boolean =>
  near(one, noun) !== null && near(other, verb) !== null && (one === noun || other === verb || close(other, verb))

const lettersOf = (word: string): string => word.split('').sort().join('')

/** A short word counts when its letters are the word's own, or one more: `sett`, `ste`; not `sex` for `key`. */
const close = (typed: string, word: string): boolean => typed.startsWith(word) || lettersOf(typed) === lettersOf(word)

const isOpaque = (word: string): boolean => word.length > 7 && /\d/.test(word) && /[A-Za-z]/.test(word)

/** Talk begins with such words too: a name in capitals, or something that is no word, makes it a command. */
function plausible(words: readonly string[], direct: boolean, exact: boolean): boolean {
  const [, , third = '', ...rest] = words
  const capitals = /^[A-Z][A-Z0-9_]*$/.test(third) && third !== 'I' && rest.length > 0
  const opaque = words.slice(2).some(isOpaque)
  return capitals || opaque || (direct && (exact ? words.length < 6 : words.length < 5))
}
