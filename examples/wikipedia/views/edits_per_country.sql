-- table: gold.edits_per_country
--
-- Edits per country and quarter of an hour, kept up to date from what is new in silver.edits.
SELECT
  country,
  continent,
  time_bucket(INTERVAL '15 minutes', time) AS quarter_hour,
  count(*) AS edits,
  sum(added) AS characters_added,
  count_if(is_anonymous) AS anonymous_edits
FROM silver.edits
GROUP BY country, continent, quarter_hour
