export const media = `
  -- Files in the media store, by the SHA-256 of their bytes.
  CREATE TABLE media (
    hash TEXT PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX media_used ON media (used_ms, size_bytes);
  -- What became of a file that came with a message: its hash, or why it can't be had.
  CREATE TABLE media_ref (
    network TEXT NOT NULL,
    ref TEXT NOT NULL,
    hash TEXT,
    error TEXT,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (network, ref)
  ) WITHOUT ROWID;
  CREATE INDEX media_ref_hash ON media_ref (hash) WHERE hash IS NOT NULL;
  `
