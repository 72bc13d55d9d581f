export const spend = `
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
  `
