-- name: documents
-- Each payment, split or credit with what was agreed on (links) and what the tool has (mirror). `settled` is what of a
-- payment's receipts is applied, `applied_by_us` the credits that we applied to the document, `credited_off` what a
-- credit of ours took off a payment that was called off.
SELECT c.kind, c.leg, c.source_id, c.code, c.amount, c.currency, c.month, c.source_hash,
       COALESCE(c.payment_id, c.source_id) AS payment_id,
       l.remote_id, l.source_hash AS link_hash, l.facts,
       d.id AS there, d.what, d.number, d.contact_id, d.currency AS there_currency, d.date, d.due_date, d.status,
       d.net, d.tax, d.total, d.paid, d.credited, d.due,
       COALESCE(p.settled, 0) AS settled, COALESCE(x.amount, 0) AS applied_by_us, COALESCE(n.total, 0) AS credited_off
FROM current_outcomes c
LEFT JOIN links l ON l.book = c.book AND l.leg = c.leg AND l.source_id = c.source_id AND l.variant = ''
LEFT JOIN mirror_documents d ON d.book = c.book AND d.id = l.remote_id
LEFT JOIN (SELECT o.payment_id,
                  CAST(SUM(CASE WHEN CAST(k.facts AS TEXT) LIKE '%"part"%' THEN COALESCE(s.amount, 0)
                                ELSE o.amount END) AS BIGINT) AS settled
           FROM current_outcomes o
           LEFT JOIN links k ON k.book = o.book AND k.leg = o.leg AND k.source_id = o.source_id AND k.variant = ''
           LEFT JOIN mirror_settlements s ON s.book = k.book AND s.id = k.remote_id
           WHERE o.book = :book AND o.leg = 'settlement' AND o.amount > 0
             AND ((o.code IN :in_step AND o.code NOT IN ('credited', 'removed'))
                  OR (o.code IN ('overpaid', 'reversed_at_source') AND k.id IS NOT NULL))
           GROUP BY o.payment_id) p ON c.leg = 'invoice' AND p.payment_id = c.source_id
LEFT JOIN (SELECT a.document_id, CAST(SUM(a.amount) AS BIGINT) AS amount
           FROM mirror_allocations a
           WHERE a.book = :book AND a.status NOT IN ('voided', 'deleted')
             AND EXISTS (SELECT 1 FROM links y WHERE y.book = a.book AND y.leg = 'allocation' AND y.remote_id = a.id)
           GROUP BY a.document_id) x ON x.document_id = d.id
LEFT JOIN links nl ON c.leg = 'invoice' AND nl.book = c.book AND nl.leg = 'credit_note'
                  AND nl.source_id = c.source_id AND nl.variant = ''
LEFT JOIN mirror_documents n ON n.book = nl.book AND n.id = nl.remote_id AND n.status NOT IN ('voided', 'deleted')
WHERE c.book = :book AND c.leg IN :legs;

-- name: settlements
-- Each receipt, and each pay-out that settles a bill. One settlement may stand for all receipts of a payment: then one of them carries its link, and `covered`
-- marks the others. Its reference begins with W (X where the payment's id is hashed).
SELECT c.kind, c.leg, c.source_id, c.code, c.amount, c.currency, c.month, c.source_hash, c.payment_id,
       l.remote_id, l.source_hash AS link_hash, l.facts,
       CASE WHEN c.leg = 'settlement' AND l.id IS NULL AND w.remote_id IS NOT NULL THEN 1 ELSE 0 END AS covered,
       COALESCE(s.id, r.id) AS there, COALESCE(s.document_id, '') AS document_id,
       COALESCE(s.account, r.pays_from) AS account, COALESCE(s.currency, r.currency) AS there_currency,
       COALESCE(s.amount, r.total) AS there_amount, COALESCE(s.status, r.status) AS status,
       CASE WHEN r.id IS NOT NULL OR s.of IN ('credit_note', 'supplier_credit') THEN 1 ELSE 0 END AS given_back,
       i.remote_id AS document
FROM current_outcomes c
LEFT JOIN links l ON l.book = c.book AND l.leg = c.leg AND l.source_id = c.source_id AND l.variant = ''
LEFT JOIN (SELECT o.payment_id, MAX(k.remote_id) AS remote_id
           FROM links k
           JOIN current_outcomes o ON o.book = k.book AND o.leg = k.leg AND o.source_id = k.source_id
           WHERE k.book = :book AND k.leg = 'settlement' AND SUBSTR(k.ref, 1, 1) IN ('W', 'X')
           GROUP BY o.payment_id) w ON c.leg = 'settlement' AND w.payment_id = c.payment_id
LEFT JOIN mirror_settlements s ON s.book = c.book AND s.id = COALESCE(l.remote_id, w.remote_id)
LEFT JOIN mirror_documents r ON r.book = c.book AND r.id = l.remote_id AND r.what = 'refund'
LEFT JOIN links i ON i.book = c.book AND i.leg = 'invoice' AND i.source_id = c.payment_id AND i.variant = ''
WHERE c.book = :book AND c.leg IN ('settlement', 'pay_out');

-- name: contacts
-- Each linked contact that the tool no longer has as it was agreed on.
SELECT l.leg, l.source_id, l.remote_id, m.id AS there, m.active, m.merged_into, t.active AS target_active
FROM links l
LEFT JOIN mirror_contacts m ON m.book = l.book AND m.id = l.remote_id
LEFT JOIN mirror_contacts t ON t.book = l.book AND t.id = m.merged_into
WHERE l.book = :book AND l.leg IN ('contact', 'supplier') AND (m.id IS NULL OR NOT m.active OR m.merged_into <> '')
ORDER BY l.leg, l.source_id;

-- name: merged_contacts
-- Contacts that were merged into another one, which stands for them since.
SELECT id, merged_into FROM mirror_contacts WHERE book = :book AND merged_into <> '';

-- name: foreign_documents
-- Live documents whose reference or number could be ours, without a link and without an open attempt.
SELECT d.id, d.what, d.ref, d.number, d.currency, d.total
FROM mirror_documents d
WHERE d.book = :book AND d.status NOT IN ('voided', 'deleted')
  AND (LENGTH(d.ref) BETWEEN 19 AND 22 OR LENGTH(d.number) BETWEEN 19 AND 22
       OR (:prefix <> '' AND d.what = 'invoice' AND LOWER(SUBSTR(d.number, 1, LENGTH(:prefix))) = LOWER(:prefix)))
  AND NOT EXISTS (SELECT 1 FROM links l WHERE l.book = d.book AND l.remote_id = d.id
                  AND l.leg IN ('invoice', 'bill', 'credit_note', 'supplier_credit', 'settlement'))
  AND d.ref NOT IN (SELECT ref FROM attempt_steps WHERE book = :book AND open
                    UNION SELECT sought FROM attempt_steps WHERE book = :book AND open)
  AND d.number NOT IN (SELECT ref FROM attempt_steps WHERE book = :book AND open
                       UNION SELECT sought FROM attempt_steps WHERE book = :book AND open);

-- name: foreign_settlements
-- Live settlements that are not linked: those with a reference like ours, and all on our invoices.
SELECT s.id, s.ref, s.document_id, s.currency, s.amount, i.source_id AS payment_id
FROM mirror_settlements s
LEFT JOIN mirror_documents d ON d.book = s.book AND d.id = s.document_id AND d.what = 'invoice'
LEFT JOIN links i ON i.book = s.book AND i.leg = 'invoice' AND i.remote_id = d.id
WHERE s.book = :book AND s.status NOT IN ('voided', 'deleted')
  AND (i.id IS NOT NULL OR LENGTH(s.ref) BETWEEN 19 AND 22)
  AND NOT EXISTS (SELECT 1 FROM links l WHERE l.book = s.book AND l.leg IN ('settlement', 'pay_out')
                  AND l.remote_id = s.id)
  AND s.ref NOT IN (SELECT ref FROM attempt_steps WHERE book = :book AND open)
ORDER BY s.document_id, s.id;

-- name: settled_by_others
-- Receipts that somebody else had settled for the same amount, per payment.
SELECT payment_id, CAST(SUM(amount) AS BIGINT) AS amount
FROM current_outcomes
WHERE book = :book AND leg = 'settlement' AND code = 'settled_there'
GROUP BY payment_id;

-- name: twin_documents
SELECT ref, COUNT(*) AS times, MIN(id) AS one, MAX(id) AS other
FROM mirror_documents
WHERE book = :book AND status NOT IN ('voided', 'deleted') AND LENGTH(ref) BETWEEN 19 AND 22
GROUP BY ref HAVING COUNT(*) > 1;

-- name: twin_settlements
SELECT ref, COUNT(*) AS times, MIN(id) AS one, MAX(id) AS other
FROM mirror_settlements
WHERE book = :book AND status NOT IN ('voided', 'deleted') AND LENGTH(ref) BETWEEN 19 AND 22
GROUP BY ref HAVING COUNT(*) > 1;

-- name: owner_of_ref
SELECT leg, source_id FROM links WHERE book = :book AND ref = :ref ORDER BY leg LIMIT 1;

-- name: linked_twice
-- One document or settlement that stands for two records.
SELECT l.leg, l.remote_id, COUNT(*) AS times, MIN(l.source_id) AS one, MAX(l.source_id) AS other
FROM links l
WHERE l.book = :book AND l.leg IN ('invoice', 'bill', 'settlement', 'pay_out', 'credit_note', 'supplier_credit', 'allocation')
GROUP BY l.leg, l.remote_id HAVING COUNT(*) > 1;

-- name: stated_amounts
-- What Qualy states for each payment, split and transaction, beside the amount that its outcome carries.
SELECT c.leg, c.source_id, c.amount, c.currency, r.content
FROM current_outcomes c
JOIN source_rows r ON r.kind = c.kind AND r.id = c.source_id
                  AND r.valid_from <= :pin AND (r.valid_to IS NULL OR r.valid_to > :pin)
WHERE c.book = :book AND c.leg IN ('invoice', 'bill', 'settlement', 'pay_out') AND r.problem IS NULL
  AND c.code NOT IN ('malformed', 'bad_amount', 'totals_disagree');

-- name: settings
SELECT s.content AS value FROM runs r JOIN settings_versions s ON s.version = r.settings_version WHERE r.id = :run;

-- name: pin
-- The source snapshot that a run works on; the last complete one where the run has none.
SELECT COALESCE((SELECT NULLIF(pin, 0) FROM runs WHERE id = :run),
                (SELECT MAX(number) FROM passes WHERE completed_at IS NOT NULL), 0) AS pin;

-- name: without_outcome
-- Records ever extracted that have no current outcome.
SELECT s.id
FROM source_seen s
LEFT JOIN current_outcomes c ON c.book = :book AND c.leg = :leg AND c.source_id = s.id
WHERE s.kind = :kind AND c.source_id IS NULL
  AND EXISTS (SELECT 1 FROM source_rows r WHERE r.kind = s.kind AND r.id = s.id AND r.valid_from <= :pin)
ORDER BY s.id;

-- name: never_seen
-- Outcomes of records that were never extracted.
SELECT c.leg, c.source_id
FROM current_outcomes c
LEFT JOIN source_seen s ON s.kind = c.kind AND s.id = c.source_id
WHERE c.book = :book AND s.id IS NULL
ORDER BY c.leg, c.source_id;

-- name: outdated
-- Records whose content is newer than what the run that last judged them worked on.
SELECT c.leg, c.source_id
FROM current_outcomes c
JOIN runs j ON j.id = c.checked_run
JOIN source_rows r ON r.kind = c.kind AND r.id = c.source_id
                  AND r.valid_from <= :pin AND (r.valid_to IS NULL OR r.valid_to > :pin)
WHERE c.book = :book AND r.valid_from > j.pin
ORDER BY c.leg, c.source_id;

-- name: outcomes_of_legs
SELECT leg, COUNT(*) AS records FROM current_outcomes WHERE book = :book GROUP BY leg;

-- name: in_step_without_link
-- In step, and nothing says with what: but for what one settlement stands for besides its own receipt, and for what a
-- person booked by hand and decided to keep.
-- Of a record that stands in the tool once per variant, each variant has to have a link.
SELECT c.leg, c.source_id
FROM current_outcomes c
WHERE c.book = :book AND c.code IN :linked
  AND (NOT EXISTS (SELECT 1 FROM links l WHERE l.book = c.book AND l.leg = c.leg AND l.source_id = c.source_id)
       OR EXISTS (SELECT 1 FROM variant_outcomes v
                  WHERE v.book = c.book AND v.leg = c.leg AND v.source_id = c.source_id AND v.code IN :linked
                    AND NOT EXISTS (SELECT 1 FROM links l WHERE l.book = v.book AND l.leg = v.leg
                                    AND l.source_id = v.source_id AND l.variant = v.variant)))
  AND NOT (c.leg = 'settlement' AND COALESCE(c.payment_id, '') IN
           (SELECT o.payment_id FROM links l
            JOIN current_outcomes o ON o.book = l.book AND o.leg = l.leg AND o.source_id = l.source_id
            WHERE l.book = :book AND l.leg = 'settlement' AND SUBSTR(l.ref, 1, 1) IN ('W', 'X')
              AND o.payment_id IS NOT NULL))
  AND NOT EXISTS (SELECT 1 FROM decisions d
                  WHERE d.book = c.book AND d.leg = c.leg AND d.source_id = c.source_id AND d.choice = 'theirs'
                    AND d.source_hash = c.source_hash
                    AND d.id = (SELECT MAX(n.id) FROM decisions n
                                WHERE n.book = d.book AND n.leg = d.leg AND n.source_id = d.source_id))
ORDER BY c.leg, c.source_id;

-- name: links_without_outcome
SELECT l.leg, l.source_id
FROM links l
LEFT JOIN current_outcomes c ON c.book = l.book AND c.leg = l.leg AND c.source_id = l.source_id
WHERE l.book = :book AND c.source_id IS NULL
ORDER BY l.leg, l.source_id;

-- name: accepted
-- Legs where a person decided to keep what the tool has, on the content as it is now.
SELECT d.leg, d.source_id, c.payment_id
FROM decisions d
JOIN current_outcomes c ON c.book = d.book AND c.leg = d.leg AND c.source_id = d.source_id
WHERE d.book = :book AND d.choice = 'theirs' AND d.source_hash = c.source_hash
  AND d.id = (SELECT MAX(n.id) FROM decisions n WHERE n.book = d.book AND n.leg = d.leg AND n.source_id = d.source_id);

-- name: unplaced
-- Records with an amount that have no current outcome, as the snapshot has them.
SELECT r.id, r.content
FROM source_rows r
LEFT JOIN current_outcomes c ON c.book = :book AND c.leg = :leg AND c.source_id = r.id
WHERE r.kind = :kind AND r.valid_from <= :pin AND (r.valid_to IS NULL OR r.valid_to > :pin) AND c.source_id IS NULL
ORDER BY r.id;
