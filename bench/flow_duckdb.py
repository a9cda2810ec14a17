#!/usr/bin/env python3
"""The three writes of the case `flow` by DuckDB alone, in one process: bronze, silver and gold as Parquet.

    flow_duckdb.py EVENTS FOLDER

Silver is parsed from bronze, as in a lakehouse: reading the events a second time by read_json would be quicker, but
with ignore_errors it loses the line after each one that is cut short. No fsync, no positions, no dead letters.
Prints one JSON object: seconds without the start of the interpreter, rows of silver, groups of gold.
"""

import json
import sys
import time

import duckdb

FIELDS = {
    "event_id": "VARCHAR", "ts": "VARCHAR", "user_id": "BIGINT", "country": "VARCHAR", "url": "VARCHAR",
    "referrer": "VARCHAR", "user_agent": "VARCHAR", "latency_ms": "BIGINT", "status": "BIGINT", "email": "VARCHAR",
}

TYPED = """
    event_id::UUID AS event_id, TRY_CAST(ts AS TIMESTAMP) AS ts, user_id, country, url, referrer, user_agent,
    latency_ms::INTEGER AS latency_ms, status::INTEGER AS status,
    left(email, 1) || '***@' || split_part(email, '@', 2) AS email"""


def bronze(connection, events, folder):
    connection.execute(f"""
        COPY (SELECT * FROM read_csv('{events}', columns = {{'raw': 'VARCHAR'}}, delim = E'\\x01', quote = '',
                                     escape = '', header = false, auto_detect = false))
        TO '{folder}/bronze.parquet' (FORMAT parquet, COMPRESSION zstd)""")


def silver(connection, folder):
    connection.execute(f"""
        COPY (SELECT *, ts::DATE AS day
              FROM (SELECT {TYPED} FROM (SELECT unnest(from_json(raw, '{json.dumps(FIELDS)}'))
                                         FROM '{folder}/bronze.parquet' WHERE json_valid(raw)))
              WHERE ts IS NOT NULL AND user_id >= 0 AND latency_ms >= 0 AND length(country) = 2)
        TO '{folder}/silver' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day), OVERWRITE_OR_IGNORE)""")


def gold(connection, folder):
    connection.execute(f"""
        COPY (SELECT date_trunc('minute', ts) AS minute, country, count(*) AS clicks, sum(latency_ms) AS latency_sum,
                     avg(latency_ms) AS latency_avg, count(*) FILTER (status >= 500) AS errors
              FROM '{folder}/silver/*/*.parquet' GROUP BY ALL)
        TO '{folder}/gold.parquet' (FORMAT parquet, COMPRESSION zstd)""")


def main():
    events, folder = sys.argv[1:]
    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET memory_limit = '4GB'; SET preserve_insertion_order = false")
    began = time.perf_counter()
    bronze(connection, events, folder)
    silver(connection, folder)
    gold(connection, folder)
    seconds = time.perf_counter() - began
    rows, = connection.execute(f"SELECT count(*) FROM '{folder}/silver/*/*.parquet'").fetchone()
    groups, = connection.execute(f"SELECT count(*) FROM '{folder}/gold.parquet'").fetchone()
    print(json.dumps({"seconds": seconds, "silver": rows, "gold": groups, "version": duckdb.__version__}))


if __name__ == "__main__":
    main()
