/** Addresses at which other programs tell something, and addresses that are told what happens in rooms. */
export const hooks = `
  CREATE TABLE hook_in (
    name TEXT PRIMARY KEY,
    network TEXT NOT NULL,          -- where it listens
    hash TEXT NOT NULL UNIQUE,      -- SHA-256 of the word in its address, hex
    room TEXT NOT NULL,
    format TEXT NOT NULL,
    sealed BLOB,                    -- the vault's: what the sender signs with; NULL: nothing is signed
    created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    used_ms INTEGER
  ) WITHOUT ROWID;
  CREATE TABLE hook_out (
    name TEXT PRIMARY KEY,
    network TEXT NOT NULL,          -- who sends
    url TEXT NOT NULL,
    sealed BLOB NOT NULL,           -- the vault's: what we sign with
    room TEXT NOT NULL,
    events TEXT NOT NULL,           -- JSON list of kinds of facts
    internal INTEGER NOT NULL,      -- 1: may be an address of this machine or of a private network
    cursor INTEGER NOT NULL,        -- the last fact that is done with
    failing_ms INTEGER,             -- since when the next one does not arrive
    fault TEXT,
    created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE hook_dead (
    hook TEXT NOT NULL,
    seq INTEGER NOT NULL,           -- the fact that did not arrive
    fault TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (hook, seq)
  ) WITHOUT ROWID;
`
