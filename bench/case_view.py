"""A view's update by 1,000 new rows over 100,000,000 rows takes at most 2 times as long as over 1,000,000."""

import os
import re
import shutil
import time

import duckdb

from measuring import BENCH, BINARY, close, median, require, say, scratch
from server import Server

SMALL = 1_000_000
LARGE = int(os.environ.get("HEADRACE_VIEW_ROWS") or 100_000_000)
CHANGE = 1_000
ROUNDS = 5
ALLOWED = 2
FILE_ROWS = 1_000_000
COLUMNS = "hour, n, total, mean, low, high, groups"


def write_rows(data, table, first, rows):
    """Rows number `first` to `first + rows`, three a second: an hour has about ten thousand."""
    hidden = data / f".{table}-{first:012}"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT i AS id, TIMESTAMP '2020-01-01' + to_milliseconds(i * 333) AS ts, (i * 31 % 1000)::BIGINT AS amount,"
            f" (i % 97)::INTEGER AS grp FROM range({first}, {first + rows}) r(i)) TO '{hidden}' (FORMAT parquet)")
    hidden.rename(data / f"{table}-{first:012}.parquet")


def wait_for(headrace, connection, table, rows):
    deadline = time.monotonic() + 1800
    while (connection.value(f"SELECT count(*) FROM silver.{table}") or 0) < rows:
        if time.monotonic() > deadline or not headrace.is_running():
            raise RuntimeError(f"{rows} rows are not in silver.{table}:\n{headrace.log_end()}")
        time.sleep(0.05)
    connection.request("POST", "/v1/commit")


def update_seconds(connection, view):
    """Spent in updates of the view so far, and how many there were."""
    text = connection.request("GET", "/metrics").decode()
    found = {part: float(re.search(rf'headrace_view_update_seconds_{part}{{view="{view}"}} (\S+)', text).group(1))
             for part in ("sum", "count")}
    return found["sum"], found["count"]


def load(headrace, connection, data, table, rows):
    began = time.monotonic()
    for first in range(0, rows, FILE_ROWS):
        write_rows(data, table, first, FILE_ROWS)
        # One file is on its way while the next is written.
        if first >= FILE_ROWS:
            wait_for(headrace, connection, table, first)
    wait_for(headrace, connection, table, rows)
    say(f"{rows} rows in silver.{table} and in its view after {time.monotonic() - began:.0f} s")


def timed_updates(headrace, connection, data, table, rows):
    seconds = []
    for number in range(ROUNDS):
        before, updates_before = update_seconds(connection, table)
        write_rows(data, table, rows + number * CHANGE, CHANGE)
        wait_for(headrace, connection, table, rows + (number + 1) * CHANGE)
        after, updates = update_seconds(connection, table)
        if updates > updates_before:
            seconds.append((after - before) / (updates - updates_before))
    return seconds


def check(connection, table):
    expected = connection.query(
        "SELECT time_bucket(INTERVAL '1 hour', ts) AS hour, count(*) AS n, sum(amount)::BIGINT AS total, avg(amount) AS mean,"
        f" min(amount) AS low, max(amount) AS high, count(DISTINCT grp) AS groups FROM silver.{table} GROUP BY hour ORDER BY hour")
    require(f"the view of silver.{table}", connection.query(f"SELECT {COLUMNS} FROM gold.{table} ORDER BY hour"), expected)


def run():
    with scratch() as folder:
        project = folder / "project"
        shutil.copytree(BENCH / "projects" / "view", project)
        data = project / "data"
        data.mkdir()
        with Server(BINARY, project, folder / "state", folder / "server.log") as headrace:
            headrace.start()
            headrace.wait_until_ready()
            connection = headrace.connect(timeout_s=1800)
            seconds = {}
            for table, rows in (("small", SMALL), ("large", LARGE)):
                load(headrace, connection, data, table, rows)
            for table, rows in (("small", SMALL), ("large", LARGE)):
                seconds[table] = median(timed_updates(headrace, connection, data, table, rows))
                check(connection, table)
            peak_mib = headrace.memory_bytes() / 2**20
    ratio = seconds["large"] / seconds["small"]
    say(f"an update by {CHANGE} rows takes {seconds['small'] * 1000:.0f} ms over {SMALL} rows, "
        f"{seconds['large'] * 1000:.0f} ms over {LARGE}")
    close("view", ratio, "x", f"the same update over {SMALL} rows, allowed", ALLOWED, ratio / ALLOWED, ROUNDS, rows=LARGE,
          small_ms=seconds["small"] * 1000, large_ms=seconds["large"] * 1000, peak_mib=peak_mib)
    return ratio <= ALLOWED
