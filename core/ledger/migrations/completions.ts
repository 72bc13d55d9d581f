/** What programs ask models for, and the answers as they come in, until they were read. */
export const completions = `
  CREATE TABLE completion (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,       -- of the fact that asks; or of its own, when it is none of the record
    network TEXT NOT NULL,
    account TEXT NOT NULL,
    person TEXT NOT NULL,           -- whose budget it is on
    room TEXT NOT NULL,
    model TEXT NOT NULL,
    body TEXT NOT NULL,             -- JSON: the conversation that the asker brought; emptied when it has ended
    turn INTEGER NOT NULL,          -- 1: a turn of the oracle answers it; 0: it is answered by itself, and nothing of it is kept
    state INTEGER NOT NULL,         -- see turns.ts
    holder TEXT,
    ending TEXT,                    -- JSON
    created_ms INTEGER NOT NULL,
    settled_ms INTEGER
  );
  CREATE INDEX completion_open ON completion (id) WHERE state < 10;
  CREATE INDEX completion_age ON completion (created_ms);
  CREATE TABLE completion_part (
    completion INTEGER NOT NULL REFERENCES completion(id) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    body TEXT NOT NULL,             -- JSON
    PRIMARY KEY (completion, n)
  ) WITHOUT ROWID;
`
