/** Many addresses of one network are one: an IPv6 host has a /64 of them. */
export function networkOf(address: string): string {
  if (!address.includes(':') || /^::ffff:/i.test(address)) return address.replace(/^::ffff:/i, '')
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0')
  const whole = [...groups, ...zeros, ...rest]
  return whole.slice(0, 7).every(group => /^0*$/.test(group)) ? address : `${whole.slice(0, 4).join(':')}::/64`
}
