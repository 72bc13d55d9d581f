/** Whether what is sent to this host stays on this machine. */
export const isLoopbackHost = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host)

/** Whether what is sent to a URL, a token among it, crosses a network readable. What is no URL is sent nowhere. */
export function isReadable(url: string): boolean {
  const { protocol, hostname } = URL.parse(url) ?? {}
  return (protocol === 'http:' || protocol === 'ws:') && !isLoopbackHost(hostname ?? '')
}

/** Whether a URL holds a name or a password: it is shown, logged and kept as it is. */
export function holdsLogin(url: string): boolean {
  const { username = '', password = '' } = URL.parse(url) ?? {}
  return username !== '' || password !== ''
}

export const noLogin = 'leave name and password out of it: it is shown and kept as it is'
