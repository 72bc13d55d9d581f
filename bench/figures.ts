/** Numbers as they are printed. */

/** The value below which `share` (0 to 1) of the samples lie; NaN without samples. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = Float64Array.from(samples).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5)

/** `p50 0.61, p95 0.93, p99 1.40 ms` */
export const spread = (samplesMs: readonly number[]): string =>
  `p50 ${quantile(samplesMs, 0.5).toFixed(2)}, p95 ${quantile(samplesMs, 0.95).toFixed(2)}, p99 ${quantile(samplesMs, 0.99).toFixed(2)} ms`

export const whole = (value: number): string => Math.round(value).toLocaleString('en')

export const say = (name: string, value: string): void => console.log(`${name.padEnd(46)}${value}`)
