/** Damerau-Levenshtein distance (optimal string alignment): edits and swaps of neighbours between two short words. */
export function distance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min((previous[j] as number) + 1, (row[j - 1] as number) + 1, (previous[j - 1] as number) + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (before[j - 2] as number) + 1)
      }
      row.push(best)
    }
    before = previous
    previous = row
  }
  return previous[b.length] as number
}

/** The candidate nearest to a mistyped word; null when none is near (2 edits, 1 for words of up to 4 letters). */
export function nearest(word: string, candidates: readonly string[]): string | null {
  if (word === '') return null
  const typed = word.toLowerCase().slice(0, 64)
  let best: string | null = null
  let least = typed.length <= 4 ? 1 : 2
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - typed.length) > least) continue
    const edits = distance(typed, candidate.toLowerCase())
    if (edits < least || (edits === least && best === null)) {
      best = candidate
      least = edits
    }
  }
  return best
}
