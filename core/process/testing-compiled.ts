/** For tests: work that runs often, and whether any of V8's compilers has made code of it. Needs `--allow-natives-syntax`. */

const sum = (upTo: number): number => {
  let total = 0
  for (let n = 0; n < upTo; n++) total += n % 7
  return total
}

export function work(times: number): void {
  for (let done = 0; done < times; done++) sum(1000)
}

export function isCompiled(): boolean {
  const statusOf = new Function('f', 'return %GetOptimizationStatus(f)') as (f: typeof sum) => number
  const [optimized, maglevved, turbofanned, baseline] = [1 << 4, 1 << 5, 1 << 6, 1 << 15]
  return (statusOf(sum) & (optimized | maglevved | turbofanned | baseline)) !== 0
}
