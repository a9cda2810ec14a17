-- table: gold.clicks_per_country
SELECT country, count(*) AS clicks FROM silver.clicks GROUP BY country
