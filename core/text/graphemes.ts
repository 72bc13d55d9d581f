let segmenter: Intl.Segmenter | undefined

/** What a reader takes for one character each (UAX #29). The tables for it, 3 MB, are read at the first use. */
export function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('und', { granularity: 'grapheme' })
  return segmenter.segment(text)
}
