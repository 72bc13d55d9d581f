export const mediaLinks = `
  -- Links under which anybody may open a file for a while, by the SHA-256 of their token.
  CREATE TABLE media_link (
    token TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT,
    until_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX media_link_until ON media_link (until_ms);
  `
