-- table: gold.clicks_per_minute
SELECT
  time_bucket(INTERVAL '1 minute', ts) AS minute,
  country,
  count(*) AS clicks,
  sum(latency_ms) AS latency_sum,
  avg(latency_ms) AS latency_avg,
  count_if(status >= 500) AS errors
FROM silver.clicks
GROUP BY minute, country
