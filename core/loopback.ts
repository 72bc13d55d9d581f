/** Whether what is sent to this host stays on this machine. */
export const isLoopbackHost = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host)

/** Whether what is sent to a URL, a token among it, crosses a network readable. What is no URL is sent nowhere. */
export function isReadable(url: string): boolean {
  const { protocol, hostname } = URL.parse(url) ?? {}
  return (protocol === 'http:' || protocol === 'ws:') && !isLoopbackHost(hostname ?? '')
}
