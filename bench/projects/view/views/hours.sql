-- table: gold.hours
-- partition_by: [day(hour)]
SELECT
  time_bucket(INTERVAL '1 hour', ts) AS hour,
  count(*) AS n,
  sum(amount) AS total,
  avg(amount) AS mean,
  min(amount) AS low,
  max(amount) AS high,
  count(DISTINCT grp) AS groups
FROM silver.rows
GROUP BY hour
