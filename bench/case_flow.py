"""2,000,000 click events from NDJSON through the durable topic into bronze, silver and gold, all committed;
against the same three writes by plain DuckDB."""

import os
import sys
import time

from measuring import BENCH, EVENTS, click_events, close, json_of, median, require, say, scratch, server

SILVER_ROWS = 1_980_170
GOLD_GROUPS = 69_076
RUNS = 3


def run_headrace(events):
    """Seconds from exec until everything is committed, and the peak of memory in MiB."""
    os.environ["HEADRACE_EVENTS"] = str(events)
    with scratch() as folder, server("flow", folder) as headrace:
        began = time.perf_counter()
        headrace.start()
        headrace.wait_until_ready()
        connection = headrace.connect(timeout_s=600)
        wait_for_gold(headrace, connection)
        connection.request("POST", "/v1/commit")
        seconds = time.perf_counter() - began
        peak_mib = headrace.memory_bytes() / 2**20
        check(connection)
        return seconds, peak_mib


def wait_for_gold(headrace, connection):
    """Gold is last: when it has counted every valid event, all is there."""
    deadline = time.monotonic() + 300
    while (connection.value("SELECT sum(clicks)::BIGINT FROM gold.clicks_per_minute") or 0) < SILVER_ROWS:
        if time.monotonic() > deadline or not headrace.is_running():
            raise RuntimeError(f"gold is not complete after 300 s:\n{headrace.log_end()}")
        time.sleep(0.05)


def check(connection):
    count = "SELECT count(*) FROM "
    require("rows of bronze", connection.value(count + "bronze.clicks"), EVENTS)
    require("rows of silver", connection.value(count + "silver.clicks"), SILVER_ROWS)
    require("different events of silver", connection.value("SELECT count(DISTINCT event_id) FROM silver.clicks"),
            SILVER_ROWS)
    require("dead letters", connection.value(count + "system.dead_letters"), EVENTS - SILVER_ROWS)
    require("groups of gold", connection.value(count + "gold.clicks_per_minute"), GOLD_GROUPS)
    require("unmasked addresses", connection.value(count + "silver.clicks WHERE email NOT LIKE 'u***@ex%.com'"), 0)
    require("groups of gold that differ from silver", connection.value("""
        SELECT count(*) FROM gold.clicks_per_minute AS g
        FULL JOIN (SELECT date_trunc('minute', ts) AS minute, country, count(*) AS clicks,
                          sum(latency_ms) AS latency_sum, count_if(status >= 500) AS errors
                   FROM silver.clicks GROUP BY ALL) AS s ON s.minute = g.minute AND s.country = g.country
        WHERE (g.clicks, g.latency_sum, g.errors) IS DISTINCT FROM (s.clicks, s.latency_sum, s.errors)"""), 0)


def run_duckdb(events):
    with scratch() as folder:
        result = json_of([sys.executable, BENCH / "flow_duckdb.py", events, folder])
    require("DuckDB's rows of silver", result["silver"], SILVER_ROWS)
    require("DuckDB's groups of gold", result["gold"], GOLD_GROUPS)
    return result["seconds"]


def run():
    events = click_events()
    ours, peaks, theirs = [], [], []
    # By turns, so that a change of the machine's mood meets both.
    for number in range(1, RUNS + 1):
        theirs.append(run_duckdb(events))
        seconds, peak_mib = run_headrace(events)
        ours.append(seconds)
        peaks.append(peak_mib)
        say(f"run {number}: headrace {seconds:.2f} s, peak {peak_mib:.0f} MiB; DuckDB {theirs[-1]:.2f} s")
    value, limit = EVENTS / median(ours), EVENTS / median(theirs)
    close("flow", value, "events/s", "DuckDB 1.5.5, the same three writes in one process", limit, value / limit, RUNS,
          seconds=median(ours), peak_mib=max(peaks), peak_mib_allowed=1024)
    return value / limit >= 0.5 and max(peaks) < 1024
