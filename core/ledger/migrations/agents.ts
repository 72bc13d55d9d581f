export const agents = `
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
  `
