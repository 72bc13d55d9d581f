export const prompts = `
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
