/**
 * The search index's own database. It can be thrown away at any time and made again from the ledger; writing to it
 * never touches the ledger's lock. `doc` keeps the words of each message, so that an edit or a delete can take them out
 * of the index again.
 */
export const indexMigrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE room (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE who (
    id INTEGER PRIMARY KEY,
    network TEXT NOT NULL,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (network, user, name)
  );
  CREATE INDEX who_name ON who (name COLLATE NOCASE);
  CREATE INDEX who_user ON who (user COLLATE NOCASE);

  CREATE TABLE doc (
    seq INTEGER PRIMARY KEY,        -- of the message in the ledger
    at_ms INTEGER NOT NULL,
    room INTEGER NOT NULL,
    place INTEGER NOT NULL,
    flags INTEGER NOT NULL,         -- see take.ts
    text TEXT NOT NULL,
    tags TEXT NOT NULL              -- r<room> p<place> w<who>: filters that the full-text index itself can cut by
  );
  CREATE VIRTUAL TABLE fts USING fts5(
    text, tags, content = 'doc', content_rowid = 'seq', tokenize = 'unicode61 remove_diacritics 2'
  );
  -- What is deleted leaves no trace of its words in the index.
  INSERT INTO fts (fts, rank) VALUES ('secure-delete', 1);

  -- Messages of rooms by day (days since 1970, UTC) and person.
  CREATE TABLE tally (
    room INTEGER NOT NULL,
    day INTEGER NOT NULL,
    who INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (room, day, who)
  ) WITHOUT ROWID;
  `,
]
