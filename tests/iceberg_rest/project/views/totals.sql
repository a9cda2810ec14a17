-- table: gold.totals
SELECT key, count(*) AS events, sum(amount) AS amount, avg(amount) AS mean
FROM silver.events
GROUP BY key
