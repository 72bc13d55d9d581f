export const turns = `
  -- One answer of the oracle, from the message that asked for it to its end. States: see turns.ts.
  CREATE TABLE turn (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    asked INTEGER NOT NULL UNIQUE REFERENCES event(seq),
    place INTEGER NOT NULL REFERENCES place(id),  -- where it is answered, for ever
    lane TEXT NOT NULL,             -- turns of one lane are answered one after the other
    network TEXT NOT NULL,          -- who asked
    user TEXT NOT NULL,
    person INTEGER,
    name TEXT NOT NULL,
    state INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, -- how often it was taken up
    holder TEXT,                    -- the process that has it, until lease_ms
    lease_ms INTEGER,
    answer INTEGER REFERENCES event(seq),
    merged INTEGER REFERENCES turn(id), -- answered together with this one
    created_ms INTEGER NOT NULL,
    started_ms INTEGER,
    settled_ms INTEGER,
    stopped_by TEXT,
    error TEXT
  );
  CREATE INDEX turn_open ON turn (lane, id) WHERE state < 10;
  CREATE INDEX turn_answer ON turn (answer) WHERE answer IS NOT NULL;
  CREATE INDEX turn_settled ON turn (settled_ms) WHERE settled_ms IS NOT NULL;

  -- Counts what is rewritten while it waits: who reads by id would miss it.
  ALTER TABLE delivery ADD COLUMN amended INTEGER;
  CREATE INDEX delivery_amended ON delivery (amended) WHERE amended IS NOT NULL;
  `
