export const timedRoles = `
  -- A role for a time stands beside the one for good and never in its place.
  CREATE TABLE role_next (
    person INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,
    room TEXT NOT NULL DEFAULT '',  -- '' is everywhere
    timed INTEGER NOT NULL,
    role TEXT NOT NULL,
    until_ms INTEGER,
    granted_by TEXT NOT NULL,
    granted_ms INTEGER NOT NULL,
    PRIMARY KEY (person, room, timed)
  ) WITHOUT ROWID;
  INSERT INTO role_next SELECT person, room, until_ms IS NOT NULL, role, until_ms, granted_by, granted_ms FROM role;
  INSERT OR IGNORE INTO role_next
    SELECT p.id, substr(m.rest, instr(m.rest, ' ') + 1), 0, m.value ->> 0, NULL, m.value ->> 1, 0
    FROM (SELECT substr(key, length('role.before ') + 1) AS rest, value FROM meta WHERE key LIKE 'role.before %') m
    JOIN person p ON p.id = CAST(substr(m.rest, 1, instr(m.rest, ' ') - 1) AS INTEGER);
  DELETE FROM meta WHERE key LIKE 'role.before %';
  DROP TABLE role;
  ALTER TABLE role_next RENAME TO role;
  `
