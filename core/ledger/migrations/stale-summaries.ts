const changes: Readonly<Record<string, string>> = {
  revised: 'INSERT ON revision',
  revised_again: 'UPDATE OF content ON revision',
  wiped: 'UPDATE OF body ON event',
}

const triggers = Object.entries(changes).map(
  ([name, change]) => `
  CREATE TRIGGER summary_${name} AFTER ${change}
  BEGIN UPDATE prompt_start SET summary = '', summarised_seq = 0 WHERE summarised_seq >= NEW.seq AND room = (
    SELECT e.room || iif(p.thread = '', '', char(10) || p.thread) FROM event e JOIN place p ON p.id = e.place WHERE e.seq = NEW.seq);
  END;`,
)

/** What was deleted, or reads otherwise now, stands in no summary: one that was made of it is made anew. */
export const staleSummaries = `
  UPDATE prompt_start SET summary = '', summarised_seq = 0;${triggers.join('')}
  `
