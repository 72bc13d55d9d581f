/** Certificates that were given to accounts; what earlier releases gave is known from the orders that were done. */
export const certificates = `
  -- Certificates that open an account because an order said so; SHA-256, lower-case hex.
  CREATE TABLE certificate (
    network TEXT NOT NULL,
    account TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    added_ms INTEGER NOT NULL,
    PRIMARY KEY (network, account, fingerprint)
  ) WITHOUT ROWID;
  INSERT INTO certificate
    SELECT network, lower(args ->> 'account'), lower(replace(args ->> 'fingerprint', ':', '')), coalesce(settled_ms, created_ms)
    FROM orders o
    WHERE kind = 'account.certificate' AND state = 10 AND NOT EXISTS (
      SELECT 1 FROM orders n WHERE n.network = o.network AND n.id > o.id AND n.state = 10
        AND lower(n.args ->> 'account') = lower(o.args ->> 'account')
        AND (n.kind = 'account.drop' OR n.kind = 'account.certificate-del'
          AND lower(replace(n.args ->> 'fingerprint', ':', '')) = lower(replace(o.args ->> 'fingerprint', ':', ''))))
    ON CONFLICT DO NOTHING;
`
