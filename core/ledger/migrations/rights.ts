/** Columns that say who may see what, by table; `null`: all of them. */
const watched: Readonly<Record<string, string | null>> = {
  role: null,
  identity: null,
  person: 'name',
  member: 'verified',
  agent: 'state, channels, expires_ms',
  api_key: 'hash, agent, scopes, rooms, until_ms, revoked_ms',
}

const triggers = Object.entries(watched).flatMap(([table, columns]) =>
  ['INSERT', 'DELETE', `UPDATE${columns === null ? '' : ` OF ${columns}`}`].map(
    event => `
  CREATE TRIGGER rights_${table}_${event.slice(0, 6).toLowerCase()} AFTER ${event} ON ${table}
  BEGIN UPDATE rights SET version = version + 1; END;`,
  ),
)

export const rights = `
  -- Counts the changes of who may see what: whoever looked it up looks again when it is another number.
  CREATE TABLE rights (version INTEGER NOT NULL);
  INSERT INTO rights VALUES (0);${triggers.join('')}
  `
