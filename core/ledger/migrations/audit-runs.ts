export const auditRuns = `
  ALTER TABLE audit ADD COLUMN reads INTEGER NOT NULL DEFAULT 0; -- of a command for everybody that changed nothing
  -- Lines that were taken out for their age, one after the other: what stands in their place.
  CREATE TABLE audit_run (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    previous TEXT NOT NULL,         -- of the first
    hash TEXT NOT NULL,             -- of the last
    line INTEGER NOT NULL           -- the line of the audit that vouches for it
  );
  CREATE INDEX audit_run_line ON audit_run (line);
  CREATE TRIGGER audit_run_fits BEFORE INSERT ON audit_run
    WHEN NEW.last < NEW.first OR NEW.line <= NEW.last
      OR (SELECT count(*) FROM audit WHERE id BETWEEN NEW.first AND NEW.last AND reads = 1) <> NEW.last - NEW.first + 1
      OR NEW.previous IS NOT (SELECT previous FROM audit WHERE id = NEW.first)
      OR NEW.hash IS NOT (SELECT hash FROM audit WHERE id = NEW.last)
      OR NOT EXISTS (SELECT 1 FROM audit WHERE id = NEW.line AND event IS NULL AND command = 'audit prune')
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
  CREATE TRIGGER audit_run_no_update BEFORE UPDATE ON audit_run BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
  CREATE TRIGGER audit_run_no_delete BEFORE DELETE ON audit_run BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
  DROP TRIGGER audit_no_delete;
  CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    WHEN coalesce((SELECT last FROM audit_run WHERE first <= OLD.id ORDER BY first DESC LIMIT 1), 0) < OLD.id
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
  `
