import { createServer } from 'node:net'

/** Whether we could listen there now. `reason` is the system's code: EADDRINUSE, EACCES, EADDRNOTAVAIL. */
export async function portState(host: string, port: number): Promise<{ free: true } | { free: false; reason: string }> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ free: false, reason: error.code ?? error.message }),
    )
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve({ free: true })))
  })
}

/** Given once: whoever has such a port may not have taken it yet. */
const given = new Set<number>()

/** Different loopback ports that were free a moment ago: all are held until each is known, and none is given twice. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer()
          server.once('error', reject)
          server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => resolve(server))
        }),
    ),
  )
  const ports = servers.map(server => (server.address() as { port: number }).port).filter(port => !given.has(port))
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  for (const port of ports) given.add(port)
  return ports.length === count ? ports : [...ports, ...(await freePorts(count - ports.length))]
}
