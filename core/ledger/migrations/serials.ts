/** Engagements that were taken back before their own end. */
export const serials = `
  -- Serials (jti) of signed engagements that count for nothing, until they would have ended anyway.
  CREATE TABLE revoked_serial (
    jti TEXT PRIMARY KEY,
    agent TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
`
