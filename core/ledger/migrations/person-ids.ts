/** Nobody gets the id of somebody who is gone: what they asked and spent is told by it. */
export const personIds = `
  -- One row: the highest id of a person who is gone.
  CREATE TABLE person_gone (id INTEGER NOT NULL);
  INSERT INTO person_gone SELECT max(
    coalesce((SELECT max(person) FROM turn), 0),
    coalesce((SELECT max(CAST(substr(scope, 8) AS INTEGER)) FROM spend WHERE scope LIKE 'person:%'), 0));
  CREATE TRIGGER person_goes AFTER DELETE ON person
  BEGIN UPDATE person_gone SET id = max(id, OLD.id); END;
`
