"""10,000,000 rows with a primary key under batches of 10,000 changes each: a query takes at most 1.5 times as long as
over the same rows without changes."""

import os
import threading
import time

from measuring import close, median, require, say, scratch, server

ROWS = int(os.environ.get("HEADRACE_UPSERT_ROWS") or 10_000_000)
CHANGES = 10_000
GROUPS = 100
SECONDS = 30
ALLOWED = 1.5
STEP = 7_919  # a prime: the changes meet rows all over the table
QUERY = "SELECT grp, count(*), sum(amount)::BIGINT FROM silver.{} GROUP BY grp ORDER BY grp"


def amount(identity, revision):
    return (identity * 31 + revision) % 1000


def send(connection, rows):
    """(id, revision) pairs as records."""
    body = "".join(f'{{"id":{i},"grp":{i % GROUPS},"amount":{amount(i, rev)},"rev":{rev}}}\n' for i, rev in rows)
    connection.request("POST", "/v1/topics/changes/records?validate=false", body,
                       {"Content-Type": "application/x-ndjson"})


def taken(connection, job):
    return connection.value(f"SELECT records FROM system.jobs WHERE job = '{job}'") or 0


def wait_until_taken(headrace, connection, records, jobs=("keyed",)):
    deadline = time.monotonic() + 600
    while any(taken(connection, job) < records for job in jobs):
        if time.monotonic() > deadline or not headrace.is_running():
            raise RuntimeError(f"{records} records are not taken in:\n{headrace.log_end()}")
        time.sleep(0.002)


class Changes(threading.Thread):
    """Changes batch after batch, each when the one before is visible."""

    def __init__(self, headrace):
        super().__init__(daemon=True)
        self._headrace = headrace
        self._stopping = threading.Event()
        self.revisions = {}
        self.seconds = []
        self.failure = None

    def finish(self):
        self._stopping.set()
        self.join()
        if self.failure:
            raise self.failure

    def run(self):
        try:
            connection = self._headrace.connect(timeout_s=600)
            sent = 0
            while not self._stopping.is_set():
                batch = [((sent + i) * STEP % ROWS, 1 + (sent + i) // ROWS) for i in range(CHANGES)]
                began = time.perf_counter()
                send(connection, batch)
                sent += CHANGES
                wait_until_taken(self._headrace, connection, ROWS + sent)
                self.seconds.append(time.perf_counter() - began)
                self.revisions.update(batch)
        except Exception as failure:  # shown by finish()
            self.failure = failure


def load(headrace, connection):
    began = time.monotonic()
    page = 50_000
    for first in range(0, ROWS, page):
        send(connection, ((i, 0) for i in range(first, min(first + page, ROWS))))
        wait_until_taken(headrace, connection, max(0, first - 20 * page))
    wait_until_taken(headrace, connection, ROWS, ("keyed", "plain"))
    connection.request("POST", "/v1/commit")
    say(f"{ROWS} rows in two tables after {time.monotonic() - began:.0f} s")


def timed(connection, table):
    began = time.perf_counter()
    rows = connection.query(QUERY.format(table))
    return time.perf_counter() - began, rows


def check(connection, revisions):
    def expected(revision_of):
        groups = [[group, 0, 0] for group in range(GROUPS)]
        for identity in range(ROWS):
            group = groups[identity % GROUPS]
            group[1] += 1
            group[2] += amount(identity, revision_of(identity))
        return [tuple(group) for group in groups]

    require("the table without changes", [tuple(row) for row in timed(connection, "plain")[1]], expected(lambda _: 0))
    require("the table with changes", [tuple(row) for row in timed(connection, "keyed")[1]],
            expected(lambda identity: revisions.get(identity, 0)))
    require("different keys", connection.value("SELECT count(DISTINCT id) FROM silver.keyed"), ROWS)


def run():
    with scratch() as folder, server("upsert", folder) as headrace:
        headrace.start()
        headrace.wait_until_ready()
        connection = headrace.connect(timeout_s=600)
        load(headrace, connection)
        quiet = [timed(connection, "keyed")[0] for _ in range(5)]
        changes = Changes(headrace)
        changes.start()
        times = {"keyed": [], "plain": []}
        began = time.monotonic()
        committed = False
        while time.monotonic() - began < SECONDS:
            # By turns, so that both share the machine with the same changes.
            for table, seconds in times.items():
                seconds.append(timed(connection, table)[0])
            if not committed and time.monotonic() - began > SECONDS / 2:
                headrace.connect(timeout_s=600).request("POST", "/v1/commit")
                committed = True
        changes.finish()
        check(connection, changes.revisions)
        connection.request("POST", "/v1/commit")
        check(connection, changes.revisions)
        peak_mib = headrace.memory_bytes() / 2**20
    keyed, plain = median(times["keyed"]), median(times["plain"])
    per_second = CHANGES / median(changes.seconds)
    say(f"{len(changes.seconds)} batches of changes, {per_second:.0f} changes/s; a query {keyed * 1000:.0f} ms, "
        f"without changes {plain * 1000:.0f} ms; before the changes {median(quiet) * 1000:.0f} ms")
    close("upsert", keyed / plain, "x", "the same query over the table without changes, allowed", ALLOWED,
          keyed / plain / ALLOWED, len(times["keyed"]), rows=ROWS, changes_per_s=per_second, query_ms=keyed * 1000,
          plain_query_ms=plain * 1000, peak_mib=peak_mib)
    return keyed <= ALLOWED * plain
