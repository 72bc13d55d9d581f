/** `$4.02`, and as many places as a small sum needs: `$0.00042`. */
export function usd(microUsd: number): string {
  if (microUsd === 0) return '$0'
  const dollars = microUsd / 1e6
  if (dollars >= 0.995) return `$${dollars.toFixed(2).replace(/\.00$/, '')}`
  return `$${dollars
    .toPrecision(2)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '')}`
}
