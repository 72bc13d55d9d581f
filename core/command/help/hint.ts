/** A command stands at the beginning of a word. */
const written = /(?<![^\s(:;,'"“])!(?=[a-z])/g

/**
 * A line that was written where no settings are known, such as an error's: commands stand in it with `!`. With the prefix that
 * holds instead.
 */
export const withPrefix = (line: string, prefix: string): string => line.replace(written, () => prefix)
