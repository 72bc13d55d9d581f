/** Networks that are being set up in chat. */
export const networkDrafts = `
  -- What was given so far, as a section of networks: references in the stead of secrets.
  CREATE TABLE network_draft (
    name TEXT PRIMARY KEY,
    config TEXT NOT NULL,
    by TEXT NOT NULL,
    at_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
`
