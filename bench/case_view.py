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


def write_rows(data, first, rows):
    """Rows number `first` to `first + rows`, three a second: an hour has about ten thousand."""
    hidden = data / f".{first:012}"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT i AS id, TIMESTAMP '2020-01-01' + to_milliseconds(i * 333) AS ts, (i * 31 % 1000)::BIGINT AS amount,"
            f" (i % 97)::INTEGER AS grp FROM range({first}, {first + rows}) r(i)) TO '{hidden}' (FORMAT parquet)")
    hidden.rename(data / f"{first:012}.parquet")


def wait_for(headrace, connection, rows):
    deadline = time.monotonic() + 1800
    while connection.value("SELECT count(*) FROM silver.rows") < rows:
        if time.monotonic() > deadline or not headrace.is_running():
            raise RuntimeError(f"{rows} rows are not in silver.rows:\n{headrace.log_end()}")
        time.sleep(0.05)
    connection.request("POST", "/v1/commit")


def update_seconds(connection):
    """Spent in updates of the view so far, and how many there were."""
    text = connection.request("GET", "/metrics").decode()
    return [float(re.search(rf'headrace_view_update_seconds_{part}{{view="hours"}} (\S+)', text).group(1))
            for part in ("sum", "count")]


def grow(headrace, connection, data, present, rows):
    for first in range(present, rows, FILE_ROWS):
        write_rows(data, first, min(FILE_ROWS, rows - first))
        # One file is on its way while the next is written.
        wait_for(headrace, connection, first)
    wait_for(headrace, connection, rows)
    return rows


def timed_updates(headrace, connection, data, present):
    seconds = []
    for number in range(ROUNDS):
        before, updates_before = update_seconds(connection)
        present = grow(headrace, connection, data, present, present + CHANGE)
        after, updates = update_seconds(connection)
        if updates > updates_before:
            seconds.append((after - before) / (updates - updates_before))
    say(f"an update by {CHANGE} rows over {present} rows takes {median(seconds) * 1000:.0f} ms")
    return median(seconds), present


def check(connection):
    expected = connection.query(
        "SELECT time_bucket(INTERVAL '1 hour', ts) AS hour, count(*) AS n, sum(amount)::BIGINT AS total, avg(amount) AS mean,"
        " min(amount) AS low, max(amount) AS high, count(DISTINCT grp) AS groups FROM silver.rows GROUP BY hour ORDER BY hour")
    require("the view", connection.query(f"SELECT {COLUMNS} FROM gold.hours ORDER BY hour"), expected)


def run():
    with scratch() as folder:
        project = folder / "project"
        shutil.copytree(BENCH / "projects" / "view", project)
        data = project / "data"
        data.mkdir()
        write_rows(data, 0, CHANGE)  # the job looks for files when it starts
        with Server(BINARY, project, folder / "state", folder / "server.log") as headrace:
            headrace.start()
            headrace.wait_until_ready()
            connection = headrace.connect(timeout_s=1800)
            small, present = timed_updates(headrace, connection, data, grow(headrace, connection, data, CHANGE, SMALL))
            check(connection)
            large, present = timed_updates(headrace, connection, data, grow(headrace, connection, data, present, LARGE))
            check(connection)
            peak_mib = headrace.memory_bytes() / 2**20
    ratio = large / small
    close("view", ratio, "x", f"the same update over {SMALL} rows, allowed", ALLOWED, ratio / ALLOWED, ROUNDS, rows=LARGE,
          small_ms=small * 1000, large_ms=large * 1000, peak_mib=peak_mib)
    return ratio <= ALLOWED
