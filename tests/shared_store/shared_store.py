#!/usr/bin/env python3
"""Two servers share a PostgreSQL metadata store and a warehouse. Each writes tables of its own; one job, which
reads a table of each, is known to both and runs in the one that holds its lease. That one is killed, and the other
takes over. Clients append to one table by way of both. In the end every event is exactly once in every table, and both
servers say so. The warehouse is a folder, or with --s3 a bucket.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "harness"))
sys.path.insert(0, str(HERE.parent / "iceberg_rest"))

import pyarrow  # noqa: E402
import s3  # noqa: E402
from clients import pyiceberg  # noqa: E402
from server import RequestFailed, Server  # noqa: E402

SKIPPED = 77
APPENDS = 8  # by each client
SETTINGS = """name: {name}
server: {{listen: "127.0.0.1:${{HEADRACE_PORT}}"}}
storage: {{path: "${{HEADRACE_STATE}}", warehouse: "{warehouse}"}}
store: {{type: postgres, url: "${{HEADRACE_STORE_URL}}", schema: "{schema}"}}
engine: {{memory: 256MiB}}
commit: {{interval: 200ms}}
"""
OWN_JOB = """batch: {{records: 100, wait: 20ms}}
nodes:
  events: {{type: topic, topic: events}}
  parsed: {{type: parse, input: events, format: json, fields: {{id: bigint}}}}
  silver: {{type: table, input: parsed, table: silver.{name}}}
"""
# Reads what "one" writes; both servers have it.
SHARED_JOB = """batch: {wait: 20ms}
nodes:
  rows: {type: table, table: silver.one}
  copied: {type: table, input: rows, table: silver.copy}
"""


class SharedStoreTest:
    def __init__(self, binary, folder, url, warehouse):
        self._warehouse = warehouse
        os.environ["HEADRACE_STORE_URL"] = url
        self._folder = folder
        self._schema = f"test {os.getpid()} {time.time_ns()}"
        self._servers = {name: self._make_server(binary, name) for name in ("one", "two")}
        self._sent = {"one": 0, "two": 0}

    def _make_server(self, binary, name):
        project = self._folder / name
        (project / "jobs").mkdir(parents=True)
        (project / "topics").mkdir()
        (project / "headrace.yaml").write_text(
            SETTINGS.format(name=name, warehouse=self._warehouse, schema=self._schema))
        (project / "topics" / "events.yaml").write_text("partitions: 1\n")
        (project / "jobs" / f"{name}.yaml").write_text(OWN_JOB.format(name=name))
        return Server(binary, project, self._folder / f"{name}-state", self._folder / f"{name}.log")

    def run(self):
        one, two = self._servers["one"], self._servers["two"]
        try:
            for server in (one, two):
                server.start()
            for server in (one, two):
                server.wait_until_ready()
            for _ in range(5):
                self._send("one", 200)
                self._send("two", 200)
            self._wait_for(one, "SELECT count(*) FROM silver.one", 1000)
            self._add_shared_job(one)
            self._wait_for_state(one, "copy", "running")
            self._add_shared_job(two)
            self._wait_for_state(two, "copy", "standby")
            self._send("one", 500)
            self._wait_for(two, "SELECT count(*) FROM silver.copy", 1500)
            one.kill()
            self._wait_for_state(two, "copy", "running")
            one.start()
            one.wait_until_ready()
            self._wait_for_state(one, "copy", "standby")
            for _ in range(5):
                self._send("one", 100)
                self._send("two", 100)
            self._count(one)
            self._count(two)
            self._append_by_both()
            for server in (one, two):
                if server.stop() != 0:
                    raise AssertionError(f"a server ended with an error:\n{server.log_end()}")
        finally:
            one.kill()
            two.kill()

    def _append_by_both(self):
        """Two clients, each by a server of its own, append to one table at the same time."""
        rows = pyarrow.table({"id": pyarrow.array(range(10), pyarrow.int64())})
        pyiceberg(self._servers["one"].port).create_namespace("other")
        pyiceberg(self._servers["one"].port).create_table("other.both", schema=rows.schema)
        failures = []

        def append(server):
            try:
                table = pyiceberg(server.port, **{"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"}).load_table("other.both")
                for _ in range(APPENDS):
                    table.append(rows)
            except Exception as failure:  # noqa: BLE001: told by the test's own thread
                failures.append(failure)

        threads = [threading.Thread(target=append, args=(server,)) for server in self._servers.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        for server in self._servers.values():
            self._wait_for(server, "SELECT count(*) FROM other.both", 2 * APPENDS * rows.num_rows)

    def _add_shared_job(self, server):
        (server.project / "jobs" / "copy.yaml").write_text(SHARED_JOB)

    def _send(self, name, count):
        first = self._sent[name] + 1
        self._sent[name] += count
        lines = "\n".join(json.dumps({"id": number}) for number in range(first, first + count))
        self._servers[name].connect().request(
            "POST", "/v1/topics/events/records", lines, {"Content-Type": "application/x-ndjson"})

    def _count(self, server):
        for table, name in (("one", "one"), ("two", "two"), ("copy", "one")):
            last = self._sent[name]
            self._wait_for(server, f"SELECT count(*) FROM silver.{table}", last)
            figures = server.connect().query(
                f"SELECT count(*), count(DISTINCT id), sum(id)::BIGINT FROM silver.{table}")[0]
            if figures != [last, last, last * (last + 1) // 2]:
                raise AssertionError(f"silver.{table} holds {figures}, {last} events were sent")

    def _wait_for(self, server, sql, expected):
        self._wait(server, sql, expected, lambda connection: connection.value(sql))

    def _wait_for_state(self, server, job, expected):
        self._wait(server, f"state of {job}", expected,
                   lambda connection: json.loads(connection.request("GET", f"/v1/jobs/{job}"))["state"])

    @staticmethod
    def _wait(server, what, expected, read):
        deadline = time.monotonic() + 120
        found = None
        while found != expected:
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: {found}, not {expected}\n{server.log_end()}")
            try:
                found = read(server.connect())
            except RequestFailed as failure:
                found = str(failure)  # the table or job is not there yet
            time.sleep(0.05)


def start_postgres(folder):
    """The URL of a server, and whether it is ours to stop."""
    if given := os.environ.get("HEADRACE_TEST_POSTGRES"):
        return given, False
    answer = subprocess.run([ROOT / "scripts" / "postgres", "start", folder], capture_output=True, text=True, check=False)
    return (answer.stdout.strip(), True) if answer.returncode == 0 else (None, False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the headrace program")
    parser.add_argument("--s3", action="store_true", help="the warehouse is in S3")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="headrace-shared-"))
    warehouse = folder / "warehouse"
    if arguments.s3:
        s3.forget_aws()
        endpoint = s3.start_s3(folder / "s3", "lake")
        if endpoint is None:
            print("The S3 server is not built here; scripts/setup s3 builds it")
            return SKIPPED
        os.environ.update(s3.KEYS, AWS_ENDPOINT_URL_S3=endpoint)
        warehouse = "s3://lake/shared"
    database = Path(tempfile.mkdtemp(prefix="headrace-postgres-"))
    url, is_ours = start_postgres(database)
    if url is None:
        print("PostgreSQL is not installed here; scripts/setup test installs it")
        return SKIPPED
    try:
        SharedStoreTest(arguments.binary, folder, url, warehouse).run()
    except Exception:
        print(f"Failed. What the servers wrote is kept in {folder}", file=sys.stderr)
        raise
    finally:
        if arguments.s3:
            s3.stop_s3(folder / "s3")
        if is_ours:
            subprocess.run([ROOT / "scripts" / "postgres", "stop", database], check=False)
        else:
            database.rmdir()
    shutil.rmtree(folder)
    print("Every event is exactly once in every table of both servers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
