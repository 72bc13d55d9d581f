import { promptSchema, turnSchema } from './schema-turns.ts'

/**
 * The ledger's schema as append-only migrations. Each runs in one transaction and raises `user_version` by one;
 * a released one is never edited. Times are Unix milliseconds, booleans 0 or 1.
 */
export const migrations: readonly string[] = [
  `
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
  `,
  `
  -- Registered programs. \`name\` is their account on the network, lower case.
  CREATE TABLE agent (
    name TEXT PRIMARY KEY,
    network TEXT NOT NULL,
    type TEXT NOT NULL,
    owner TEXT NOT NULL,            -- network:account of the person who answers for it
    state TEXT NOT NULL,            -- registering, active, rotating, revoked, deleted
    channels TEXT NOT NULL,         -- JSON list
    permissions TEXT NOT NULL,      -- JSON list
    skills TEXT NOT NULL,           -- JSON list
    rate TEXT NOT NULL,             -- JSON { count, perMs }
    native INTEGER NOT NULL DEFAULT 0, -- understands group mentions by itself
    engagement TEXT,                -- the compact JWS in force
    reason TEXT,
    paused INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    created_by TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX agent_type ON agent (type);
  -- Single-use codes by which an agent fetches its login, or a person links an account. Only their hash is kept.
  CREATE TABLE claim (
    hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    sealed BLOB,
    until_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE party (
    name TEXT NOT NULL,             -- of the group
    member TEXT NOT NULL,           -- an agent's name, or person:NAME; '' is the group itself
    added_by TEXT NOT NULL,
    added_ms INTEGER NOT NULL,
    PRIMARY KEY (name, member)
  ) WITHOUT ROWID;
  CREATE TABLE presence (
    network TEXT NOT NULL,
    user TEXT NOT NULL,
    state TEXT NOT NULL,            -- online, idle, offline
    since_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    channel TEXT NOT NULL,
    what TEXT NOT NULL,             -- join, leave, message, typing, heartbeat
    name TEXT NOT NULL,
    PRIMARY KEY (network, user)
  ) WITHOUT ROWID;
  -- A group that was asked something, until all have answered or the time is over.
  CREATE TABLE call (
    seq INTEGER PRIMARY KEY,        -- the fact that called
    place INTEGER NOT NULL REFERENCES place(id),
    selector TEXT NOT NULL,
    kind TEXT NOT NULL,             -- mention, stop, pause, resume
    asked TEXT NOT NULL,            -- JSON list of agents
    answered TEXT NOT NULL,         -- JSON list of agents
    until_ms INTEGER NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX call_open ON call (until_ms) WHERE closed = 0;
  CREATE TABLE channel (
    network TEXT NOT NULL,
    channel TEXT NOT NULL,
    type TEXT NOT NULL DEFAULT '',
    topic TEXT NOT NULL DEFAULT '',
    modes TEXT NOT NULL DEFAULT '',
    locked INTEGER NOT NULL DEFAULT 0,
    greeting TEXT NOT NULL DEFAULT '',
    until_ms INTEGER,
    created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (network, channel)
  ) WITHOUT ROWID;
  `,
  turnSchema,
  `
  -- Requests to models: reserved before they are made, booked after. Prices are millionths of a US dollar for a token.
  CREATE TABLE try (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    turn INTEGER,
    task TEXT NOT NULL,
    room TEXT NOT NULL,
    person TEXT,                    -- whose budget: person:ID, account:network:user, strangers:network
    model TEXT NOT NULL,
    service TEXT NOT NULL,
    owner TEXT NOT NULL,            -- the process: boot, pid and start
    at_ms INTEGER NOT NULL,
    booked_ms INTEGER,
    booked INTEGER NOT NULL DEFAULT 0,
    day TEXT NOT NULL,
    month TEXT NOT NULL,
    input_price REAL NOT NULL,
    cached_price REAL NOT NULL,
    output_price REAL NOT NULL,
    reserved_micro_usd INTEGER NOT NULL,
    cost_micro_usd INTEGER NOT NULL DEFAULT 0,
    input_tokens INTEGER NOT NULL,  -- estimated until it is booked
    cached_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    estimated INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,
    error TEXT
  );
  CREATE INDEX try_open ON try (id) WHERE booked = 0;
  CREATE INDEX try_turn ON try (turn) WHERE turn IS NOT NULL;
  -- Sums over the tries, by day and month in the instance's time zone.
  CREATE TABLE spend (
    period TEXT NOT NULL,
    scope TEXT NOT NULL,
    cost_micro_usd INTEGER NOT NULL,
    reserved_micro_usd INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    PRIMARY KEY (period, scope)
  ) WITHOUT ROWID;
  -- Marks of budgets that were passed and told.
  CREATE TABLE spend_mark (
    period TEXT NOT NULL,
    scope TEXT NOT NULL,
    percent INTEGER NOT NULL,
    PRIMARY KEY (period, scope, percent)
  ) WITHOUT ROWID;
  CREATE TABLE learned (
    service TEXT PRIMARY KEY,
    token_factor REAL NOT NULL,
    refused TEXT NOT NULL,          -- JSON list of parameters
    context_tokens INTEGER
  ) WITHOUT ROWID;
  `,
  `
  -- A message's id is unique in its channel, whatever thread it stands in. \`channel\` is the place without the thread,
  -- null where that is the place itself.
  ALTER TABLE event ADD COLUMN channel INTEGER;
  INSERT OR IGNORE INTO place (network, channel, thread, private, since_ms)
    SELECT network, channel, '', max(private), min(since_ms) FROM place WHERE thread != '' GROUP BY network, channel;
  UPDATE event SET channel = (
      SELECT c.id FROM place p JOIN place c ON c.network = p.network AND c.channel = p.channel AND c.thread = ''
      WHERE p.id = event.place)
    WHERE place IN (SELECT id FROM place WHERE thread != '');
  DROP INDEX event_message;
  CREATE INDEX event_message ON event (ifnull(channel, place), native) WHERE kind = 'message';

  -- \`place\` of a copy is its channel; \`thread\` says where in it the copy stands.
  ALTER TABLE copy ADD COLUMN thread TEXT;
  UPDATE OR REPLACE copy SET thread = p.thread, place = c.id
    FROM place p JOIN place c ON c.network = p.network AND c.channel = p.channel AND c.thread = ''
    WHERE p.id = copy.place AND p.thread != '';

  -- Who reacts to a message now, and how. \`place\` is the channel where they did.
  CREATE TABLE reaction (
    seq INTEGER NOT NULL REFERENCES event(seq),
    emoji TEXT NOT NULL,
    place INTEGER NOT NULL REFERENCES place(id),
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (seq, emoji, place, user)
  ) WITHOUT ROWID;
  INSERT INTO reaction
    SELECT coalesce(m.seq, c.source), r.body ->> 'emoji', ifnull(r.channel, r.place), r.sender, r.name
    FROM event r
    LEFT JOIN event m ON m.kind = 'message' AND m.native = r.native AND ifnull(m.channel, m.place) = ifnull(r.channel, r.place)
    LEFT JOIN copy c ON c.place = ifnull(r.channel, r.place) AND c.native = r.native
    WHERE r.seq IN (SELECT max(seq) FROM event WHERE kind = 'reaction' GROUP BY ifnull(channel, place), native, sender, body ->> 'emoji')
      AND r.body ->> 'removed' IS NULL AND coalesce(m.seq, c.source) IS NOT NULL
    ON CONFLICT DO NOTHING;

  -- A file is named by its ref; where there was an address it was the file's only name.
  UPDATE event SET body = json_set(body, '$.content.attachments', json((
      SELECT json_group_array(json(json_set(value, '$.ref', value ->> 'url')))
      FROM json_each(body, '$.content.attachments'))))
    WHERE kind IN ('message', 'edit') AND json_array_length(body, '$.content.attachments') > 0;
  `,
  `
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
  `,
  promptSchema,
]
