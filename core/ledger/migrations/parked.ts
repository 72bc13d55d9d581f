export const parked = `
  -- Edits, deletes and reactions whose message has not come. \`place\` is the channel, \`native\` the message's id there.
  CREATE TABLE parked (
    seq INTEGER PRIMARY KEY REFERENCES event(seq),
    place INTEGER NOT NULL REFERENCES place(id),
    native TEXT NOT NULL,
    until_ms INTEGER NOT NULL
  );
  CREATE INDEX parked_native ON parked (place, native);
  CREATE INDEX parked_until ON parked (until_ms);

  -- Who left a place in a netsplit: their return is no news until then.
  CREATE TABLE split_member (
    place INTEGER NOT NULL REFERENCES place(id),
    user TEXT NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (place, user)
  ) WITHOUT ROWID;
  -- A netsplit that is to be told: the first fact of it, and how many left.
  CREATE TABLE netsplit (
    place INTEGER PRIMARY KEY REFERENCES place(id),
    first INTEGER NOT NULL REFERENCES event(seq),
    left INTEGER NOT NULL,
    tell_ms INTEGER NOT NULL
  );

  -- The name as the eye takes it, to find who could be mistaken for somebody; null until the platform names them anew.
  ALTER TABLE member ADD COLUMN skeleton TEXT;
  CREATE INDEX member_skeleton ON member (skeleton, place) WHERE skeleton IS NOT NULL;
  `
