import { catalogueOf } from '../command.ts'
import { baseUrl } from '../config.ts'
import type { Routes } from '../house.ts'
import { describe } from '../openapi.ts'

/** `GET /openapi.json`: what there is. It needs no key: it is the same for everybody, and says what is in the documentation. */
export const openApiRoutes: Routes = (app, house) => {
  app.get('/openapi.json', { config: { open: true, hidden: true } }, async () =>
    describe(house.described, catalogueOf(house).all, baseUrl(house.config), '1'),
  )
}
