export const retention = `
  -- A copy is found by its fact alone, whether its delivery is still there or not. One of no fact leads nowhere.
  DELETE FROM copy WHERE source IS NULL;
  DROP INDEX copy_delivery;
  CREATE INDEX copy_source ON copy (source, delivery, part);
  `
