export const threads = `
  -- A message's id is unique in its channel, whatever thread it stands in. \`channel\` is the place without the thread,
  -- null where that is the place itself.
  ALTER TABLE event ADD COLUMN channel INTEGER;
  INSERT OR IGNORE INTO place (network, channel, thread, private, since_ms)
    SELECT network, channel, '', max(private), min(since_ms) FROM place WHERE thread != '' GROUP BY network, channel;
  UPDATE event SET channel = (
      SELECT c.id FROM place p JOIN place c ON c.network = p.network AND c.channel = p.channel AND c.thread = ''
      WHERE p.id = event.place)
    WHERE place IN (SELECT id FROM place WHERE thread != '');
  DROP INDEX event_message;
  CREATE INDEX event_message ON event (ifnull(channel, place), native) WHERE kind = 'message';

  -- \`place\` of a copy is its channel; \`thread\` says where in it the copy stands.
  ALTER TABLE copy ADD COLUMN thread TEXT;
  UPDATE OR REPLACE copy SET thread = p.thread, place = c.id
    FROM place p JOIN place c ON c.network = p.network AND c.channel = p.channel AND c.thread = ''
    WHERE p.id = copy.place AND p.thread != '';

  -- Who reacts to a message now, and how. \`place\` is the channel where they did.
  CREATE TABLE reaction (
    seq INTEGER NOT NULL REFERENCES event(seq),
    emoji TEXT NOT NULL,
    place INTEGER NOT NULL REFERENCES place(id),
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (seq, emoji, place, user)
  ) WITHOUT ROWID;
  INSERT INTO reaction
    SELECT coalesce(m.seq, c.source), r.body ->> 'emoji', ifnull(r.channel, r.place), r.sender, r.name
    FROM event r
    LEFT JOIN event m ON m.kind = 'message' AND m.native = r.native AND ifnull(m.channel, m.place) = ifnull(r.channel, r.place)
    LEFT JOIN copy c ON c.place = ifnull(r.channel, r.place) AND c.native = r.native
    WHERE r.seq IN (SELECT max(seq) FROM event WHERE kind = 'reaction' GROUP BY ifnull(channel, place), native, sender, body ->> 'emoji')
      AND r.body ->> 'removed' IS NULL AND coalesce(m.seq, c.source) IS NOT NULL
    ON CONFLICT DO NOTHING;

  -- A file is named by its ref; where there was an address it was the file's only name.
  UPDATE event SET body = json_set(body, '$.content.attachments', json((
      SELECT json_group_array(json(json_set(value, '$.ref', value ->> 'url')))
      FROM json_each(body, '$.content.attachments'))))
    WHERE kind IN ('message', 'edit') AND json_array_length(body, '$.content.attachments') > 0;
  `
