export const spine = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE place (
    id INTEGER PRIMARY KEY,
    network TEXT NOT NULL,
    channel TEXT NOT NULL,
    thread TEXT NOT NULL DEFAULT '',
    private INTEGER NOT NULL DEFAULT 0,
    since_ms INTEGER NOT NULL,      -- when we first met it: older history is recorded, never relayed
    newest_id TEXT,                 -- newest message the ledger holds: where a backfill goes on
    newest_ms INTEGER,
    UNIQUE (network, channel, thread)
  );

  -- Facts, in the order of their commit. One row a fact, for ever: a changed text is a row in revision.
  CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    place INTEGER NOT NULL REFERENCES place(id),
    room TEXT NOT NULL,             -- the room of the place at that time; a place in no room is a room of its own
    native TEXT,                    -- the platform's id of a message, or of the message an edit, delete or reaction is about
    sender TEXT NOT NULL,
    name TEXT NOT NULL,
    flags INTEGER NOT NULL,         -- see events.ts
    at_ms INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    body TEXT NOT NULL              -- JSON: what the kind adds
  );
  CREATE INDEX event_message ON event (place, native) WHERE kind = 'message';
  CREATE INDEX event_room ON event (room, seq);

  CREATE TABLE revision (
    seq INTEGER PRIMARY KEY REFERENCES event(seq),
    content TEXT,                   -- JSON, null when deleted
    at_ms INTEGER NOT NULL,
    edits INTEGER NOT NULL
  );

  CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    place INTEGER NOT NULL REFERENCES place(id),
    bot TEXT NOT NULL,
    source INTEGER REFERENCES event(seq),  -- the fact of which this is a copy
    act TEXT NOT NULL,              -- JSON Act; sealed and then emptied when secret
    state INTEGER NOT NULL,         -- see deliveries.ts
    secret INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before_ms INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    settled_ms INTEGER,
    error TEXT,
    waits_on INTEGER,               -- held until this order is settled …
    waits_for TEXT                  -- … as 'done' or 'failed'; cancelled otherwise
  );
  CREATE INDEX delivery_open ON delivery (place, id) WHERE state < 10;
  CREATE INDEX delivery_source ON delivery (source) WHERE source IS NOT NULL;
  CREATE INDEX delivery_held ON delivery (waits_on) WHERE waits_on IS NOT NULL;

  CREATE TABLE copy (
    place INTEGER NOT NULL,
    native TEXT NOT NULL,
    part INTEGER NOT NULL,
    delivery INTEGER NOT NULL,
    source INTEGER,
    PRIMARY KEY (place, native)
  ) WITHOUT ROWID;
  CREATE INDEX copy_delivery ON copy (delivery, part);

  CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    network TEXT NOT NULL,
    kind TEXT NOT NULL,
    args TEXT NOT NULL,             -- JSON, no secret in it
    sealed BLOB,                    -- the vault's, emptied when settled
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before_ms INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    settled_ms INTEGER,
    result TEXT,
    error TEXT
  );
  CREATE INDEX orders_open ON orders (id) WHERE state < 10;

  -- Facts a consumer is done with although an earlier one is still under way.
  CREATE TABLE handled (consumer TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (consumer, seq)) WITHOUT ROWID;
  -- What waits for !yes CODE.
  CREATE TABLE pending (
    code TEXT PRIMARY KEY,
    bot TEXT NOT NULL,
    network TEXT NOT NULL,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    line TEXT NOT NULL,
    until_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  -- The lines of an answer that !more goes on with.
  CREATE TABLE page (
    network TEXT NOT NULL,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    lines TEXT NOT NULL,
    shown INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (network, channel, account)
  ) WITHOUT ROWID;
  CREATE TABLE consumer (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE cursor (network TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (network, name)) WITHOUT ROWID;

  CREATE TABLE member (
    place INTEGER NOT NULL REFERENCES place(id),
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    verified INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (place, user)
  ) WITHOUT ROWID;

  CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, created_ms INTEGER NOT NULL);
  CREATE TABLE identity (
    network TEXT NOT NULL,
    user TEXT NOT NULL,
    person INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,
    PRIMARY KEY (network, user)
  ) WITHOUT ROWID;
  CREATE TABLE role (
    person INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,
    room TEXT NOT NULL DEFAULT '',  -- '' is everywhere
    role TEXT NOT NULL,
    until_ms INTEGER,
    granted_by TEXT NOT NULL,
    granted_ms INTEGER NOT NULL,
    PRIMARY KEY (person, room)
  ) WITHOUT ROWID;

  CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL, by TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE secret (name TEXT PRIMARY KEY, sealed BLOB NOT NULL, by TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE command (name TEXT PRIMARY KEY, bot TEXT NOT NULL, declaration TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE standing (network TEXT PRIMARY KEY, standing TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;

  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    bot TEXT NOT NULL,
    event INTEGER,
    network TEXT NOT NULL,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    command TEXT NOT NULL,
    args TEXT NOT NULL,             -- as typed, secrets masked
    decision TEXT NOT NULL,         -- allowed, denied, ignored, failed
    result TEXT NOT NULL,
    ms REAL NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
  );
  CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
  CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
  `
