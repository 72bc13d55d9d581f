/** A question that is asked once more. */
export const askedAgain = `
  -- The fact that asked it first.
  ALTER TABLE turn ADD COLUMN again INTEGER;
`
