-- table: gold.totals
SELECT key, count(*) AS events, sum(amount) AS amount
FROM silver.events
GROUP BY key
