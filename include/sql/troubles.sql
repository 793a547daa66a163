-- name: open
-- Every open trouble: how many records and how much, by leg, month and currency, with one of its outcomes.
SELECT c.trouble_key, c.code, c.leg, c.currency, c.month, COUNT(*) AS records,
       CAST(SUM(c.amount) AS BIGINT) AS amount, MIN(c.outcome) AS outcome
FROM current_outcomes c
WHERE c.book = :book AND c.trouble_key IS NOT NULL
GROUP BY c.trouble_key, c.code, c.leg, c.currency, c.month
ORDER BY c.trouble_key, c.leg, c.currency, c.month;

-- name: oldest
-- Since when the oldest record of each trouble waits.
SELECT trouble_key, MIN(since) AS since
FROM current_outcomes
WHERE book = :book AND trouble_key IS NOT NULL
GROUP BY trouble_key;

-- name: remembered
SELECT key, first_at, failed_run, failed_at FROM troubles WHERE book = :book;

-- name: details
SELECT id, detail, thing FROM outcomes WHERE id IN :ids;
