-- name: book
SELECT tool, organisation, name, pinned_at FROM books WHERE id = :book;

-- name: fact
SELECT value, read_at FROM facts WHERE book = :book AND name = :name;

-- name: run
SELECT id, kind, pin, settings_version, started_at, ended_at FROM runs WHERE id = :run;

-- name: pass
SELECT number, completed_at FROM passes WHERE number = :pin;

-- name: by_code
-- How many records and how much, by leg, outcome and currency.
SELECT leg, code, currency, COUNT(*) AS records, CAST(SUM(amount) AS BIGINT) AS amount
FROM current_outcomes
WHERE book = :book
GROUP BY leg, code, currency
ORDER BY leg, code, currency;

-- name: done
-- What came of this run: outcomes that it was the first to give, or that it wrote for. One that is only said again (of a
-- newer content, under other settings, after a difference was mended) is nothing that the run did.
SELECT o.leg, o.code, c.currency, COUNT(*) AS records, CAST(SUM(c.amount) AS BIGINT) AS amount
FROM outcomes o
JOIN current_outcomes c ON c.outcome = o.id AND c.book = o.book
WHERE o.run = :run AND o.book = :book
  AND (NOT EXISTS (SELECT 1 FROM outcomes e WHERE e.book = o.book AND e.leg = o.leg AND e.source_id = o.source_id
                   AND e.code = o.code AND e.id < o.id)
       OR EXISTS (SELECT 1 FROM attempt_steps s JOIN attempts a ON a.id = s.attempt
                  WHERE s.book = o.book AND s.leg = o.leg AND s.source_id = o.source_id AND a.run = o.run
                    AND s.fate IN ('created', 'found', 'changed', 'voided', 'removed')))
GROUP BY o.leg, o.code, c.currency
ORDER BY o.leg, o.code, c.currency;

-- name: previous_report
SELECT MAX(f.made_at) AS made_at
FROM report_files f JOIN runs r ON r.id = f.run
WHERE r.book = :book AND r.kind = 'accounting' AND f.name = 'report.html' AND f.run < :run;

-- name: written_since
-- What came into the tool, or was found there and linked, or was changed or taken back there, since a moment; by the
-- accounting month that it belongs to.
SELECT w.month, w.leg, w.currency, w.how, COUNT(*) AS records, CAST(SUM(w.amount) AS BIGINT) AS amount
FROM (SELECT c.month, c.leg, c.currency, c.amount, l.how
FROM current_outcomes c
JOIN links l ON l.book = c.book AND l.leg = c.leg AND l.source_id = c.source_id AND l.variant = ''
WHERE c.book = :book
  AND c.leg IN ('invoice', 'bill', 'settlement', 'pay_out', 'credit_note', 'supplier_credit', 'allocation')
  AND EXISTS (SELECT 1 FROM outcomes o WHERE o.book = c.book AND o.leg = c.leg AND o.source_id = c.source_id
              AND o.code IN :written AND o.at > :since)
  AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.book = c.book AND o.leg = c.leg AND o.source_id = c.source_id
                  AND o.code IN :written AND o.at <= :since)
UNION ALL
SELECT c.month, c.leg, c.currency, c.amount, c.code
FROM current_outcomes c
WHERE c.book = :book AND c.leg IN ('invoice', 'bill', 'settlement', 'pay_out')
  AND c.code IN ('updated', 'voided', 'removed') AND c.since > :since) w
GROUP BY w.month, w.leg, w.currency, w.how
ORDER BY w.month DESC, CASE w.leg WHEN 'invoice' THEN 1 WHEN 'bill' THEN 2 ELSE 3 END, w.leg, w.currency, w.how;

-- name: unpaid
-- What the tool shows as outstanding on our invoices, by currency and due date.
SELECT d.currency, d.due_date, COUNT(*) AS documents, CAST(SUM(d.due) AS BIGINT) AS amount
FROM mirror_documents d
JOIN links l ON l.book = d.book AND l.leg = 'invoice' AND l.remote_id = d.id
WHERE d.book = :book AND d.what = 'invoice' AND d.status = 'authorised' AND d.due > 0
GROUP BY d.currency, d.due_date
ORDER BY d.currency, d.due_date;

-- name: to_recode
-- Live documents that were booked to a suspense account and that nobody has recoded yet, the oldest first.
SELECT l.leg, l.source_id, l.facts, d.number, d.currency, d.date, d.url
FROM links l
JOIN mirror_documents d ON d.book = l.book AND d.id = l.remote_id AND d.status NOT IN ('voided', 'deleted')
WHERE l.book = :book AND l.leg IN ('invoice', 'bill') AND CAST(l.facts AS TEXT) LIKE '%"suspense"%'
ORDER BY d.date, d.number;

-- name: without_bill
-- Splits whose payment's invoice is booked and whose own bill is not.
SELECT b.payment_id, b.source_id, b.code, b.currency, b.amount
FROM current_outcomes b
JOIN current_outcomes i ON i.book = b.book AND i.leg = 'invoice' AND i.source_id = b.payment_id AND i.code IN :in_step
WHERE b.book = :book AND b.leg = 'bill' AND b.code NOT IN :fine
ORDER BY b.payment_id, b.source_id;

-- name: clearing
-- Our settlements by account, currency and month, as the tool shows them; what was paid out or given back comes off.
SELECT m.account, m.currency, SUBSTR(CAST(m.date AS TEXT), 1, 7) AS month,
       COUNT(*) AS settlements, CAST(SUM(m.amount) AS BIGINT) AS amount
FROM (SELECT s.account, s.currency, s.date,
             CASE WHEN l.leg = 'pay_out' OR s.of IN ('credit_note', 'supplier_credit') THEN -s.amount ELSE s.amount END
             AS amount
      FROM mirror_settlements s
      JOIN links l ON l.book = s.book AND l.leg IN ('settlement', 'pay_out') AND l.remote_id = s.id
      WHERE s.book = :book AND s.status NOT IN ('voided', 'deleted')
      UNION ALL
      SELECT d.pays_from, d.currency, d.date, -d.total
      FROM mirror_documents d
      JOIN links l ON l.book = d.book AND l.leg = 'settlement' AND l.remote_id = d.id
      WHERE d.book = :book AND d.what = 'refund' AND d.status NOT IN ('voided', 'deleted')) m
GROUP BY m.account, m.currency, SUBSTR(CAST(m.date AS TEXT), 1, 7)
ORDER BY m.account, m.currency, month;

-- name: outcomes
-- Every record with its outcome. Those that wait for a person come first, the oldest first.
SELECT c.leg, c.source_id, c.payment_id, c.code, c.trouble_key, c.amount, c.currency, c.month, c.since, c.retry_at AS until_at,
       o.detail, l.remote_id, COALESCE(d.number, i.number) AS number, COALESCE(d.url, i.url) AS url
FROM current_outcomes c
JOIN outcomes o ON o.id = c.outcome
LEFT JOIN links l ON l.book = c.book AND l.leg = c.leg AND l.source_id = c.source_id
                 AND l.variant = (SELECT MIN(v.variant) FROM links v
                                  WHERE v.book = c.book AND v.leg = c.leg AND v.source_id = c.source_id)
LEFT JOIN mirror_documents d ON d.book = c.book AND d.id = l.remote_id
LEFT JOIN links il ON il.book = c.book AND il.leg = 'invoice' AND il.source_id = c.payment_id AND il.variant = ''
LEFT JOIN mirror_documents i ON i.book = c.book AND i.id = il.remote_id
WHERE c.book = :book AND c.code NOT IN :without AND c.outcome > :after
ORDER BY CASE WHEN c.trouble_key IS NULL THEN 1 ELSE 0 END, c.since, c.trouble_key, c.source_id, c.leg;

-- name: payment_numbers
SELECT id, content FROM source_rows
WHERE kind = 'payment-intents' AND id IN :ids AND valid_from <= :pin AND (valid_to IS NULL OR valid_to > :pin);

-- name: differences
SELECT f.what, f.leg, f.source_id, f.remote_id, f.currency, f.ours, f.theirs, f.sentence, d.url
FROM differences f
LEFT JOIN mirror_documents d ON d.book = f.book AND d.id = f.remote_id
WHERE f.book = :book
ORDER BY f.what, f.leg, f.source_id, f.id;

-- name: difference_count
SELECT COUNT(*) AS records FROM differences WHERE book = :book;

-- name: newest_run
-- The newest run of the accounting sync that has a book; the last that reported, if one did.
SELECT r.id, r.book, b.tool FROM runs r JOIN books b ON b.id = r.book
WHERE r.kind = 'accounting'
ORDER BY r.id DESC LIMIT 1;
