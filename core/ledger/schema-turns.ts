/** Two of the migrations of `schema.ts`: what the oracle keeps. Like the others they are never edited. */

export const turnSchema = `
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

export const promptSchema = `
  ALTER TABLE turn ADD COLUMN words TEXT; -- what was asked, where that is not the text of the fact that asked
  CREATE INDEX turn_lane ON turn (lane, id);
  CREATE INDEX turn_merged ON turn (merged) WHERE merged IS NOT NULL;
  CREATE INDEX turn_asker ON turn (network, user, created_ms);
  -- Whether the oracle answers a message that was said to it, and why.
  CREATE TABLE decision (
    seq INTEGER PRIMARY KEY REFERENCES event(seq),
    answers INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at_ms INTEGER NOT NULL
  );
  -- Tokens of a message as it read after so many edits, the same for every model: counted once.
  CREATE TABLE counted (seq INTEGER PRIMARY KEY REFERENCES event(seq), edits INTEGER NOT NULL, tokens INTEGER NOT NULL);
  -- Where the lines of a room begin in the oracle's prompts, and what was said before in few words.
  CREATE TABLE prompt_start (
    room TEXT PRIMARY KEY,
    from_seq INTEGER NOT NULL,
    summary TEXT NOT NULL DEFAULT '',
    summarised_seq INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID;
`
