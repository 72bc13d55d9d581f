/** Keys by which programs speak for somebody, and what was said to them until they read it. */
export const apiKeys = `
  -- A key is an account of its network. Rows stay when a key ends: nobody else comes into its name.
  CREATE TABLE api_key (
    network TEXT NOT NULL,
    account TEXT NOT NULL,
    prefix TEXT NOT NULL UNIQUE,    -- the part of the key that is no secret
    hash TEXT NOT NULL,             -- SHA-256 of the whole key, hex
    agent TEXT,                     -- whom it acts for; NULL: the person who has the account
    scopes TEXT NOT NULL,           -- JSON list
    rooms TEXT,                     -- JSON list; NULL: all that its owner has
    per_minute INTEGER,             -- NULL: as the network says
    budget_usd REAL,                -- a day; NULL: no limit of its own
    forwards INTEGER NOT NULL,      -- 1: it speaks for users of its own and says for whom
    created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    until_ms INTEGER,
    used_ms INTEGER,
    revoked_ms INTEGER,
    PRIMARY KEY (network, account)
  ) WITHOUT ROWID;
  CREATE INDEX api_key_agent ON api_key (agent) WHERE agent IS NOT NULL;
  CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network TEXT NOT NULL,
    delivery TEXT NOT NULL,         -- what was said: its idempotency key
    channel TEXT NOT NULL,
    reply TEXT,                     -- the id of the message that it answers
    body TEXT NOT NULL,             -- JSON
    sealed BLOB,                    -- the vault's: a secret
    at_ms INTEGER NOT NULL,
    UNIQUE (network, delivery)
  );
  CREATE INDEX inbox_reply ON inbox (network, reply) WHERE reply IS NOT NULL;
  CREATE INDEX inbox_channel ON inbox (network, channel, id);
  CREATE INDEX inbox_age ON inbox (at_ms);
  CREATE INDEX audit_event ON audit (event) WHERE event IS NOT NULL;
`
