"""1,000 commits to one table (HEADRACE_COMMITS): the last hundred take at most 1.5 times the first hundred.

Memory is told after each tenth: it is to stay as it is."""

import os
import time

from measuring import close, median, require, say, scratch, server

COMMITS = int(os.environ.get("HEADRACE_COMMITS") or 1_000)
ROWS = 100
EDGE = min(100, COMMITS // 2)
ALLOWED = 1.5


def send(connection, number):
    first = number * ROWS
    body = "".join(f'{{"id":{i},"name":"row {i}"}}\n' for i in range(first, first + ROWS))
    connection.request("POST", "/v1/topics/numbers/records", body, {"Content-Type": "application/x-ndjson"})


def wait_until_visible(connection, rows):
    deadline = time.monotonic() + 30
    while connection.value("SELECT count(*) FROM silver.numbers") < rows:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{rows} rows are not visible after 30 s")
        time.sleep(0.001)


def run():
    times_ms = []
    memory_mib = []
    with scratch() as folder, server("commits", folder) as headrace:
        headrace.start()
        headrace.wait_until_ready()
        connection = headrace.connect()
        for number in range(COMMITS):
            send(connection, number)
            wait_until_visible(connection, (number + 1) * ROWS)
            began = time.perf_counter()
            connection.request("POST", "/v1/commit")
            times_ms.append((time.perf_counter() - began) * 1000)
            if (number + 1) % max(2 * EDGE, COMMITS // 10) == 0:
                memory_mib.append(headrace.memory_bytes("VmRSS") / 2**20)
                say(f"{number + 1} commits, the last {EDGE} took {sum(times_ms[-EDGE:]) / EDGE:.1f} ms each; "
                    f"resident {memory_mib[-1]:.0f} MiB")
        rows, distinct = connection.query("SELECT count(*), count(DISTINCT id) FROM silver.numbers")[0]
        require("rows", (rows, distinct), (COMMITS * ROWS, COMMITS * ROWS))
    first, last = sum(times_ms[:EDGE]), sum(times_ms[-EDGE:])
    close("commits", last / first, "x", "last hundred to first hundred, allowed", ALLOWED, last / first / ALLOWED, 1,
          commits=COMMITS, first_ms=first / EDGE, last_ms=last / EDGE, median_ms=median(times_ms),
          memory_mib=[round(mib) for mib in memory_mib])
    return last <= ALLOWED * first
