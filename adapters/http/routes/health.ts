import type { Routes } from '../house.ts'

/** For who watches over processes: alive, and able to take something down. */
export const healthRoutes: Routes = (app, { interior }) => {
  app.get('/healthz', { config: { open: true } }, async () => ({ status: 'ok' }))
  app.get('/readyz', { config: { open: true } }, async () => {
    interior.ledger.readNow(() => undefined)
    return { status: 'ready' }
  })
}
