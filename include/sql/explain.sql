-- name: payment_of
-- The payment that a record belongs to.
SELECT c.payment_id FROM current_outcomes c
WHERE c.book = :book AND c.source_id = :id AND c.payment_id IS NOT NULL
ORDER BY c.payment_id LIMIT 1;

-- name: seen
SELECT r.id, r.content, r.contact_id FROM source_rows r
WHERE r.kind = :kind AND r.id = :id AND r.valid_to IS NULL;

-- name: numbered
-- Payments of Qualy's by the number that their document carries.
SELECT l.source_id AS id FROM links l JOIN mirror_documents d ON d.book = l.book AND d.id = l.remote_id
WHERE l.book = :book AND l.leg = 'invoice' AND d.number_key = :number
ORDER BY l.source_id LIMIT 1;

-- name: partners_of
SELECT DISTINCT partner_id FROM source_rows
WHERE kind = 'payment-splits' AND payment_id = :payment AND valid_to IS NULL AND partner_id IS NOT NULL
ORDER BY partner_id;

-- name: legs
-- The payment's own legs, and those of its customer and its partners: where a contact has one currency for good, that
-- of each currency by itself.
SELECT c.leg, c.source_id, COALESCE(v.code, c.code) AS code, c.amount, c.currency, c.month, c.since, c.retry_at AS until_at, c.trouble_key,
       COALESCE(v.variant, '') AS variant, v.detail AS of_variant, o.detail, l.remote_id, l.ref, l.how, l.linked_at, l.facts,
       l.settings_version, d.url
FROM current_outcomes c
JOIN outcomes o ON o.id = c.outcome
LEFT JOIN variant_outcomes v ON v.book = c.book AND v.leg = c.leg AND v.source_id = c.source_id
LEFT JOIN links l ON l.book = c.book AND l.leg = c.leg AND l.source_id = c.source_id
                 AND l.variant = COALESCE(v.variant, '')
LEFT JOIN mirror_documents d ON d.book = c.book AND d.id = l.remote_id
WHERE c.book = :book AND (c.payment_id = :payment OR (c.leg = 'invoice' AND c.source_id = :payment)
                          OR (c.leg IN ('contact', 'supplier') AND c.source_id IN :people))
ORDER BY c.leg, c.source_id, v.variant;

-- name: attempts
-- Every attempt at some legs, oldest first.
SELECT s.leg, s.source_id, s.ref, s.sought, s.fate AS step_fate, s.open,
       a.id AS attempt, a.committed_at, a.last_sent_at, a.ended_at, a.fate, a.note, a.body
FROM attempt_steps s
JOIN attempts a ON a.id = s.attempt
WHERE s.book = :book AND s.leg = :leg AND s.source_id IN :ids AND s.variant = :variant
ORDER BY s.id;

-- name: decided
SELECT d.leg, d.source_id, d.choice, d.argument, d."by" AS who, d.reason, d.at
FROM decisions d
WHERE d.book = :book AND d.source_id IN :ids
ORDER BY d.id;

-- name: history
SELECT o.leg, o.source_id, o.code, o.at, o.detail, o.run
FROM outcomes o
WHERE o.book = :book AND o.source_id IN :ids
ORDER BY o.id;
