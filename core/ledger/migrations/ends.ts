export const ends = `
  -- What is looked at every second: whether the time of something is over.
  CREATE INDEX role_ends ON role (until_ms) WHERE until_ms IS NOT NULL;
  CREATE INDEX agent_ends ON agent (expires_ms) WHERE expires_ms IS NOT NULL;
  CREATE INDEX call_until ON call (until_ms);
  CREATE INDEX call_place ON call (place, seq);
  `
